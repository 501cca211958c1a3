"""Titles, so that songs can be told apart by people."""

from __future__ import annotations

import numpy as np

from tasks.synth.plan import pick

FIRST = (
    "Amber", "Blue", "Borrowed", "Brass", "Bright", "Broken", "Burning", "Candle", "Cedar", "Chalk", "City", "Clover",
    "Copper", "Coral", "Corner", "Crooked", "Distant", "Drifting", "Early", "Electric", "Empty", "Evening", "Faded",
    "Falling", "Field", "First", "Folded", "Forgotten", "Garden", "Glass", "Golden", "Gravel", "Green", "Half",
    "Hidden", "Hollow", "Honey", "Idle", "Indigo", "Iron", "Ivory", "Kitchen", "Lantern", "Last", "Late", "Lemon",
    "Little", "Long", "Lost", "Low", "Marble", "Market", "Midnight", "Morning", "Narrow", "Neon", "Northern", "Old",
    "Open", "Orchard", "Paper", "Parallel", "Pine", "Plain", "Quiet", "Rainy", "Red", "Restless", "River", "Rolling",
    "Rusty", "Saffron", "Salt", "Seven", "Silver", "Simple", "Sleeping", "Slow", "Small", "Southern", "Spare",
    "Station", "Stone", "Summer", "Sunday", "Thirteen", "Tidal", "Tin", "Turning", "Velvet", "Violet", "Wandering",
    "Warm", "Weekday", "White", "Willow", "Winter", "Wooden", "Yellow",
)  # fmt: skip
SECOND = (
    "Afternoon", "Alley", "Almanac", "Anchor", "Arcade", "Attic", "Avenue", "Balcony", "Ballroom", "Bell", "Bicycle",
    "Boulevard", "Bridge", "Cabin", "Calendar", "Canal", "Carousel", "Cartwheel", "Chapel", "Clock", "Coast", "Compass",
    "Courtyard", "Crossing", "Curtain", "Delta", "Departure", "Diner", "Doorway", "Elevator", "Errand", "Fairground",
    "Ferry", "Fountain", "Garage", "Harbor", "Harvest", "Highway", "Hillside", "Horizon", "Hotel", "Island", "Journey",
    "Kettle", "Kite", "Ladder", "Lagoon", "Laundry", "Letter", "Lighthouse", "Matinee", "Meadow", "Mile", "Mirror",
    "Moon", "Motel", "Mountain", "Orbit", "Painting", "Parade", "Passage", "Pavilion", "Pier", "Platform", "Portrait",
    "Postcard", "Puddle", "Quarry", "Radio", "Railing", "Reservoir", "Ribbon", "Rooftop", "Season", "Shadow",
    "Shoreline", "Signal", "Souvenir", "Sparrow", "Staircase", "Story", "Street", "Suitcase", "Swallow", "Terrace",
    "Ticket", "Town", "Tunnel", "Umbrella", "Valley", "Veranda", "Viaduct", "Village", "Voyage", "Wagon", "Water",
    "Weather", "Window", "Yard",
)  # fmt: skip


def title(rng: np.random.Generator) -> str:
    """`Copper Harbor`."""
    return f"{pick(rng, FIRST)} {pick(rng, SECOND)}"
