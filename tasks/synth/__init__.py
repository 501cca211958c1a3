"""`synth`: short original pieces, rendered from their scores, so that every edit has a true result.

Read in this order: `instruments` (who can play what), `scores` (notes, parts), `notation` (how music is written
down here), `pieces` (the music), `arrange` (a piece becomes a score), `songs` (a score gets its edits and prompts),
`render` (a score becomes audio), `layouts` (audio becomes a data set on disk), `suite` (the builder).
"""
