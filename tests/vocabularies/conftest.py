"""What several tests of vocabularies share."""

from specialize.vocabularies import PieceChoice


def piece_choice(size, **more):
    """How new pieces are chosen of a small text, as the paper chose them but for what is said."""
    plain = {"min_frequency": 1, "limit_alphabet": 1000, "choose": "unknown", "other_languages": []}
    return PieceChoice(size=size, **(plain | {"most_resegmented": 0.005} | more))
