"""Numbers that Chau & Smith (2021) print, to be set beside a run's own."""

from __future__ import annotations

from dataclasses import dataclass

# Table 1: sentences, tokens, pieces per token; its remaining columns are in the registry of languages.
TABLE_1 = {
    "be": ["187k", "2.7M", "2.25"],
    "bg": ["357k", "5.6M", "1.81"],
    "ga": ["274k", "5.8M", "1.83"],
    "mhr": ["52k", "512k", "2.37"],
    "mt": ["75k", "1.4M", "2.39"],
    "ug": ["136k", "2.3M", "2.54"],
    "ur": ["201k", "3.6M", "1.58"],
    "vi": ["338k", "6.9M", "1.17"],
    "wo": ["15k", "396k", "1.78"],
}

_TABLE_2 = """
pos      be         bg         ga         mt          ug         ur         vi         wo
fasttext 68.84±7.16 88.86±0.37 86.87±2.55 89.68±2.15  89.45±1.37 90.81±0.31 81.84±1.15 87.48±0.55
bert     91.00±0.30 94.48±0.10 90.36±0.20 92.61±0.10  90.87±0.13 89.88±0.13 84.73±0.13 87.71±0.31
mbert    94.57±0.45 96.98±0.08 91.91±0.25 94.01±0.17  78.07±0.22 91.77±0.18 88.97±0.10 93.04±0.20
lapt     95.74±0.44 97.15±0.04 93.28±0.19 95.76±0.09  79.88±0.27 92.18±0.16 89.64±0.20 94.58±0.13
tva      95.28±0.51 97.20±0.06 93.33±0.16 96.33±0.09  91.49±0.13 92.24±0.16 89.49±0.22 94.48±0.20

ud       be         bg         ga         mt          ug         ur         vi         wo
fasttext 35.81±2.24 84.03±0.41 65.58±1.21 68.45±1.40  54.52±1.02 79.33±0.25 54.91±0.79 70.39±1.39
bert     45.77±1.35 84.61±0.27 64.02±0.49 65.92±0.45  60.34±0.27 78.07±0.22 54.70±0.27 60.12±0.39
mbert    71.83±0.90 91.62±0.23 71.68±0.62 76.63±0.35  47.70±0.44 81.45±0.26 64.58±0.42 76.24±0.83
lapt     72.77±1.12 92.08±0.31 74.79±0.12 81.53±0.37  50.67±0.34 81.78±0.44 66.15±0.41 80.34±0.14
tva      73.22±1.23 91.90±0.20 74.35±0.22 82.00±0.31  67.55±0.17 81.88±0.25 65.64±0.12 80.22±0.41

ner      be         bg         ga         mt          ug         ur         vi         mhr
fasttext 84.26±0.86 87.98±0.76 67.21±4.30 33.53±17.89 –          92.85±2.04 85.57±1.98 35.28±13.81
bert     88.08±0.62 90.31±0.20 76.58±0.98 54.64±3.51  61.54±3.70 94.04±0.55 88.08±0.15 54.17±2.88
mbert    91.13±0.07 92.56±0.09 82.82±0.57 61.86±2.60  50.76±1.86 94.60±0.34 92.13±0.27 61.85±3.25
lapt     91.61±0.74 92.96±0.13 84.13±0.78 81.53±2.33  56.76±4.91 95.17±0.29 92.41±0.15 59.17±5.15
tva      91.38±0.56 92.70±0.11 84.82±1.00 80.00±2.77  68.93±3.30 95.43±0.22 92.43±0.16 64.23±3.07
"""


@dataclass(frozen=True)
class Printed:
    """Mean and standard deviation of five seeds' test scores, in percent."""

    mean: float
    deviation: float


def _read(text: str) -> dict[tuple[str, str, str], Printed]:
    cells = {}
    for block in text.strip().split("\n\n"):
        (task, *languages), *rows = map(str.split, block.splitlines())
        for representation, *scores in rows:
            for language, score in zip(languages, scores, strict=True):
                if score != "–":
                    cells[language, representation, task] = Printed(*map(float, score.split("±")))
    return cells


# Table 2 by language, representation and task, without the model that did not converge.
TABLE_2 = _read(_TABLE_2)
