"""The genres, one table a file. To add one, write its table and list it here."""

from tasks.synth.genres.baroque import BAROQUE
from tasks.synth.genres.blues import BLUES
from tasks.synth.genres.bossa import BOSSA
from tasks.synth.genres.country import COUNTRY
from tasks.synth.genres.funk import FUNK
from tasks.synth.genres.genre import Genre
from tasks.synth.genres.house import HOUSE
from tasks.synth.genres.latin import LATIN
from tasks.synth.genres.modal import MODAL
from tasks.synth.genres.pop import POP
from tasks.synth.genres.reggae import REGGAE
from tasks.synth.genres.rock import ROCK
from tasks.synth.genres.soul import SOUL
from tasks.synth.genres.swing import SWING
from tasks.synth.genres.synth_pop import SYNTH_POP
from tasks.synth.genres.waltz import WALTZ

GENRES: tuple[Genre, ...] = (
    POP, FUNK, BOSSA, WALTZ, ROCK, SWING, REGGAE, HOUSE, COUNTRY, BAROQUE, SYNTH_POP, SOUL, MODAL, LATIN, BLUES,
)  # fmt: skip
"""In the order in which songs take them."""

__all__ = ["GENRES", "Genre"]
