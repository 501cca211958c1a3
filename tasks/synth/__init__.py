"""`synth`: songs of our own, rendered from their scores, so that every edit has a true result.

A song is made in this order, and the files are best read in it:

* `sounds` (who can play what), `theory` (keys, chords), `notation` (tones, grids), `genres/` (one table a genre);
* `harmony` (chords from a grammar), `plan` (key, tempo, form, players: all that is settled before a note is written);
* `paths` and `costs` (how lines are found), `melody`, `comping`, `bass`, `drums` (the notes on paper);
* `scores` (notes, parts), `perform` (the notes as played), `titles`, `songs` (a score gets its edits and prompts);
* `render` (a score becomes audio), `mixing`, `layouts` (audio becomes a data set on disk);
* `processes`, `studio` (songs rendered side by side, each once), `suite` (the builder).
"""
