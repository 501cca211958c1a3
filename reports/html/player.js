"use strict";
// Players of one task share one position, so that switching between them compares the same moment.
// Without this script every player still works alone.
(() => {
  const all = [...document.querySelectorAll("audio")];
  const tasks = new Map();
  let latest = null;

  const cardOf = (audio) => audio.closest(".card");

  class Task {
    constructor(element) {
      this.seconds = Number(element.dataset.seconds) || 1;
      this.players = [...element.querySelectorAll("audio")];
      this.heads = [...element.querySelectorAll(".head")];
      this.current = null;
      this.previous = null;
      this.moved = new WeakSet();
      for (const audio of this.players) {
        audio.addEventListener("play", () => this.switchTo(audio));
        audio.addEventListener("pause", () => cardOf(audio).classList.remove("playing"));
        audio.addEventListener("ended", () => cardOf(audio).classList.remove("playing"));
        // Seeking a player that is at rest makes its position the task's.
        audio.addEventListener("seeked", () => {
          if (!this.moved.delete(audio) && audio.paused) this.setCurrent(audio);
          this.draw();
        });
        this.seekBy(cardOf(audio).querySelector(".picture"), () => audio);
      }
      // A picture of a difference has no audio of its own: what was heard last goes on from there.
      for (const picture of element.querySelectorAll(".contrast .picture")) {
        this.seekBy(picture, () => this.current || this.players[0]);
      }
    }

    seekBy(picture, choose) {
      picture.addEventListener("click", (event) => {
        const audio = choose();
        if (!audio) return;
        const box = picture.getBoundingClientRect();
        this.setCurrent(audio);
        this.move(audio, ((event.clientX - box.left) / box.width) * this.seconds);
        this.start(audio);
      });
    }

    move(audio, seconds) {
      // The event of this seek may come after the next switch: it is not the listener's doing, and must not undo that.
      this.moved.add(audio);
      audio.currentTime = seconds;
    }

    setCurrent(audio) {
      if (this.current && this.current !== audio) this.previous = this.current;
      this.current = audio;
    }

    start(audio) {
      // A refused start (a damaged file, a browser's policy) shows in the player itself.
      audio.play().catch(() => cardOf(audio).classList.remove("playing"));
    }

    switchTo(audio) {
      const before = this.current;
      for (const other of all) if (other !== audio && !other.paused) other.pause();
      if (before && before !== audio && !before.ended) this.move(audio, before.currentTime);
      // The others will be wanted next: fetch them now, so that switching has no gap.
      for (const other of this.players) other.preload = "auto";
      this.setCurrent(audio);
      latest = this;
      cardOf(audio).classList.add("playing");
      this.follow();
    }

    follow() {
      this.draw();
      if (this.current && !this.current.paused) requestAnimationFrame(() => this.follow());
    }

    draw() {
      if (!this.current) return;
      const part = Math.min(this.current.currentTime / this.seconds, 1);
      for (const head of this.heads) {
        head.hidden = false;
        head.style.left = `${100 * part}%`;
      }
    }

    matchLoudness(on) {
      const known = this.players.map((audio) => Number(audio.dataset.lufs)).filter(Number.isFinite);
      const softest = Math.min(...known);
      for (const audio of this.players) {
        const own = Number(audio.dataset.lufs);
        audio.volume = on && Number.isFinite(own) ? 10 ** ((softest - own) / 20) : 1;
      }
    }
  }

  for (const element of document.querySelectorAll(".task")) tasks.set(element, new Task(element));

  const linked = (name, change) => {
    const boxes = [...document.querySelectorAll(`.tools .${name}`)];
    const set = (on) => {
      for (const box of boxes) box.checked = on;
      change(on);
    };
    for (const box of boxes) box.addEventListener("change", () => set(box.checked));
    set(false);
  };
  linked("match", (on) => tasks.forEach((task) => task.matchLoudness(on)));
  linked("loop", (on) => all.forEach((audio) => (audio.loop = on)));

  // Before anything was started, keys mean the task that is read.
  const firstInView = () =>
    [...tasks].find(([element]) => element.getBoundingClientRect().bottom > window.innerHeight / 3)?.[1];

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !/^[0-9x]$/.test(event.key)) return;
    const task = tasks.get(document.activeElement.closest(".task")) || latest || firstInView();
    if (!task) return;
    if (event.key === "0") all.forEach((audio) => audio.pause());
    else if (event.key === "x") task.previous && task.start(task.previous);
    else if (task.players[event.key - 1]) task.start(task.players[event.key - 1]);
    event.preventDefault();
  });

  document.documentElement.classList.add("js");
  for (const tools of document.querySelectorAll(".tools")) tools.hidden = false;
})();
