// Tables that can be sorted and filtered. Without this script they stand as they were written.
(() => {
  const byValue = (place, numbers, sign) => (one, other) => {
    const [a, b] = [one, other].map((row) => row.cells[place].dataset.value);
    // What has no value is last, whichever way.
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    return sign * (numbers ? Number(a) - Number(b) : a.localeCompare(b));
  };

  const sort = (table, head) => {
    const now = head.getAttribute("aria-sort");
    const next = now ? (now === "ascending" ? "descending" : "ascending") : head.dataset.first;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", next);
    const body = table.tBodies[0];
    const numbers = head.dataset.kind === "number";
    const rows = [...body.rows].sort(byValue(head.cellIndex, numbers, next === "ascending" ? 1 : -1));
    body.append(...rows);
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    for (const head of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(table, head));
      head.append(button);
    }
  }

  const filters = document.querySelector(".filters");
  if (!filters) return;
  const [words, least, told] = ["input", "select", "[role=status]"].map((each) => filters.querySelector(each));
  const rows = [...document.querySelectorAll("tr[data-provenance]")];
  const order = [...least.options].map((option) => option.value);
  const filter = () => {
    const wanted = words.value.trim().toLocaleLowerCase();
    let shown = 0;
    for (const row of rows) {
      const trusted = order.indexOf(row.dataset.provenance) >= least.selectedIndex;
      row.hidden = !trusted || !row.cells[0].textContent.toLocaleLowerCase().includes(wanted);
      shown += !row.hidden;
    }
    told.textContent = `${shown} of ${rows.length} entries shown`;
  };
  words.addEventListener("input", filter);
  least.addEventListener("change", filter);
  filters.hidden = false;
  filter();
})();
