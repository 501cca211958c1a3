from __future__ import annotations

from tasks.synth.scores import Note, Part, separate
from tasks.synth.sounds import SOUNDS


def _note(onset: float, duration: float, pitch: int = 60) -> Note:
    return Note(onset, duration, pitch, 90)


def test_a_line_lets_go_before_its_next_note() -> None:
    first, second = separate([_note(1.0, 1.0, 62), _note(0.0, 1.2)], monophonic=True)
    assert (first.onset_s, second.onset_s) == (0.0, 1.0)
    assert first.end_s < second.onset_s
    assert second.duration_s == 1.0


def test_chords_keep_their_length_but_a_key_is_let_go_before_it_is_struck_again() -> None:
    low, high, again = separate([_note(0, 2, 60), _note(0, 2, 64), _note(1, 1, 60)], monophonic=False)
    assert low.end_s < again.onset_s
    assert high.duration_s == 2


def test_monophonic_is_what_the_notes_say() -> None:
    violin, kit = SOUNDS["violin"], SOUNDS["drum-kit"]
    line = (_note(0, 1, 60), _note(1, 1, 62))
    assert Part("vocals", violin, line).monophonic
    assert not Part("other", violin, (_note(0, 1.5, 60), _note(1, 1, 62))).monophonic
    assert not Part("drums", kit, line).monophonic
