"""What tests and intervals of the tables are worth at 3, 5 and 10 seeds: simulated differences of equal methods.

    .venv/bin/python benchmarks/significance.py [--repeats 1000]
    .venv/bin/python benchmarks/significance.py --measure pos|ud|ner GOLD FIRST SECOND [--tags xpos]

Variances are those of differences between models of real Uyghur (three seeds of mBERT, of it pretrained further with
and without new pieces, and of XLM-R; trained on few steps): of seeds, of test sentences, and of what a seed does to a
sentence. Their standard deviations, in points, stand in VARIANCES; the second command measures them on two methods'
folders of seeds (results/finetuning/LANGUAGE/METHOD/TASK of a run), and draws real sentences from their predictions in
place of normal ones.
"""

import argparse
import time
from pathlib import Path
from types import SimpleNamespace

import numpy
from scipy import stats

from specialize.experiment.regimes import Method
from specialize.tables.hierarchical import drawn_scores, drawn_weights, ratio, share_below
from specialize.tables.mixed_model import effect
from specialize.tables.scores import Scores
from specialize.tables.sentences import count, sentences_of
from specialize.tables.statistics import (
    LEVEL,
    almost_stochastic_order,
    bootstrap_interval,
    effect_size,
    holm,
    wilcoxon,
)

SEEDS = (3, 5, 10)
SENTENCES = 200
# Standard deviation of a difference's score over seeds, over samples of test sentences, and of both together.
VARIANCES = {
    "POS, lapt and mbert": (0.18, 0.10, 0.17),
    "POS, tva and lapt": (0.00, 0.36, 0.18),
    "POS, two bases": (0.50, 0.30, 0.18),
    "UD, tva and lapt": (0.20, 0.38, 0.31),
    "NER, tva and lapt": (1.93, 1.92, 1.79),
    "seeds alone": (1.00, 0.00, 0.00),
}


def differences(generator, repeats, seeds, deviations, sentences=SENTENCES):
    """By how many points sentences of the same length differ: (repeats, seeds, sentences); truly by none."""
    of_seed, of_sentence, of_both = deviations
    width = numpy.sqrt(sentences)
    return (
        of_seed * generator.normal(size=(repeats, seeds, 1))
        + of_sentence * width * generator.normal(size=(repeats, 1, sentences))
        + of_both * width * generator.normal(size=(repeats, seeds, sentences))
    )


def over_sentences(generator, repeats, seeds, deviations, weights):
    """How often the three tests call equal methods different, for new seeds and new sentences, at 5 %: the
    hierarchical bootstrap, percentiles of seeds and sentences that are drawn with replacement, the paired t-test."""
    found = numpy.zeros(3)
    for _ in range(repeats):
        (points,) = differences(generator, 1, seeds, deviations, weights.shape[1])
        drawn = points @ weights.T / weights.shape[1]
        observed = points.mean(1)
        below = share_below(observed, drawn)(0.0)
        chosen = generator.multinomial(seeds, numpy.full(seeds, 1 / seeds), drawn.shape[1]) / seeds
        low, high = numpy.percentile((chosen.T * drawn).sum(0), [2.5, 97.5])
        found += [
            min(below, 1 - below) < LEVEL / 2,
            not low <= 0 <= high,
            stats.ttest_1samp(observed, 0).pvalue < LEVEL,
        ]
    return found / repeats


def over_seeds(generator, repeats, seeds):
    """Of equal methods on the same sentences: coverage of the percentile interval; how often p of the one-sided t-test
    and of Wilcoxon is below 5 %, in a given direction and in that of the higher mean; how often stochastic order is
    below 1/2, in both; and the mean of |d|."""
    found = numpy.zeros(8)
    for _ in range(repeats):
        first, second = generator.normal(size=(2, seeds))
        given = first - second
        higher = given if given.mean() > 0 else -given
        low, high = bootstrap_interval(given)
        orders = almost_stochastic_order(first, second), almost_stochastic_order(second, first)
        p = [stats.ttest_1samp(of, 0, alternative="greater").pvalue < LEVEL for of in (given, higher)]
        ranks = [wilcoxon(of) < LEVEL for of in (given, higher)]
        order = [orders[0] < 0.5, (orders[0] if given.mean() > 0 else orders[1]) < 0.5]
        found += [low <= 0 <= high, *p, *ranks, *order, abs(effect_size(given))]
    return found / repeats


def of_many(generator, repeats, seeds, methods, together=0.8, pretraining=0.0):
    """How often any wrong verdict stands in a row of equal methods: Holm's correction over all pairs in the direction
    of the higher mean (table `comparisons`), and the best on development data against each other one (`answers`).

    `pretraining`: the standard deviation of what a method's one pretraining adds to all seeds, in those of a seed.
    """
    pairs = best = 0
    for _ in range(repeats):
        test, noise = generator.normal(size=(2, methods, seeds))
        development = together * test + numpy.sqrt(1 - together**2) * noise
        if pretraining:
            added = pretraining * generator.normal(size=(methods, 1))
            test, development = test + added, development + added
        winner = development.mean(1).argmax()
        apart = test[winner] - numpy.delete(test, winner, 0)
        p = stats.ttest_1samp(apart, 0, axis=1, alternative="greater").pvalue
        best += min(holm(p)) * methods < LEVEL
        one, other = numpy.triu_indices(methods, 1)
        p = stats.ttest_1samp(test[one] - test[other], 0, axis=1).pvalue / 2
        pairs += min(holm(p)) < LEVEL
    return pairs / repeats, best / repeats


def over_places(generator, repeats, places, seeds=3, between=(0.0, 0.3, 3.0), left=0.3):
    """Coverage of intervals of a method's effect over places, the one that varies most from place to place: of the
    model of two methods with t and with normal quantiles, and of one model of all methods with t, by the formulas
    that REML of a full grid comes to."""
    methods = len(between)
    cells = generator.normal(size=(repeats, places, methods)) * between
    cells += left / numpy.sqrt(seeds) * generator.normal(size=cells.shape)
    apart = cells[..., -1] - cells[..., 0]
    own = apart.std(1, ddof=1) / numpy.sqrt(places)
    rest = cells - cells.mean(1, keepdims=True) - cells.mean(2, keepdims=True) + cells.mean((1, 2), keepdims=True)
    degrees = (places - 1) * (methods - 1)
    pooled = numpy.sqrt(2 * (rest**2).sum((1, 2)) / degrees / places)
    mean = abs(apart.mean(1))
    return [
        (mean <= quantile * error).mean()
        for quantile, error in (
            (stats.t.ppf(0.975, places - 1), own),
            (stats.norm.ppf(0.975), own),
            (stats.t.ppf(0.975, degrees), pooled),
        )
    ]


def fitted_over_places(generator, repeats, places, seeds=3, between=1.0, left=0.5):
    """Coverage of the interval that statsmodels' fit gives, and of how many there is none."""
    hits = none = 0
    methods = Method("lapt"), Method("mbert")
    names = [(f"l{place}", "pos") for place in range(places)]
    for _ in range(repeats):
        by_seed = {}
        for language, task in names:
            together = generator.normal(size=seeds)
            for method in methods:
                own = generator.normal(0, between) + together + left * generator.normal(size=seeds)
                by_seed[language, method, task] = dict(enumerate(70 + own))
        one = effect(Scores(by_seed), *methods, names)
        none += bool(one.reason)
        hits += one.low <= 0 <= one.high
    return hits / max(repeats - none, 1), none / repeats


def counts_of(task, tags, gold, folder):
    """What each sentence adds to the score of each seed: (seeds, 2, sentences)."""
    language, expected = SimpleNamespace(tags=tags), sentences_of(task, gold)
    found = sorted(folder.glob("seed*/predictions.*"))
    return numpy.array([count(language, task, expected, sentences_of(task, path)) for path in found])


def measure(task, tags, gold, first, second, repeats):
    """Print the deviations of a difference as in VARIANCES, and the coverage of intervals of real sentences."""
    one, other = (counts_of(task, tags, gold, folder) for folder in (first, second))
    observed = numpy.array([ratio(a) - ratio(b) for a, b in zip(one, other, strict=True)])
    drawn = drawn_scores(one) - drawn_scores(other)
    of_mean, within = drawn.mean(0).var(ddof=1), drawn.var(1, ddof=1).mean()
    number = len(observed)
    of_both = max(0, within - of_mean) * number / (number - 1)
    of_seed = numpy.sqrt(max(0, observed.var(ddof=1) - of_both))
    of_sentence = numpy.sqrt(max(0, of_mean - of_both / number))
    print(f"{of_seed:.2f} over seeds, {of_sentence:.2f} over sentences, {numpy.sqrt(of_both):.2f} over both")
    generator, weights = numpy.random.default_rng(1), next(drawn_weights(SENTENCES)).T
    for seeds in SEEDS:
        hits = 0
        for _ in range(repeats):
            places, which = generator.integers(0, one.shape[2], SENTENCES), generator.integers(0, number, seeds)
            apart = of_seed * generator.normal(size=seeds)
            parts = [counts[which][:, :, places] for counts in (one, other)]
            seen = [100 * part[:, 0].sum(1) / part[:, 1].sum(1) for part in parts]
            again = [100 * (part[:, 0] @ weights) / (part[:, 1] @ weights) for part in parts]
            below = share_below(seen[0] - seen[1] + apart, again[0] - again[1] + apart[:, None])(observed.mean())
            hits += LEVEL / 2 < below < 1 - LEVEL / 2
        print(f"{seeds} seeds: {hits / repeats:.1%} of 95 % intervals hold the difference")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--measure", nargs=4, metavar=("TASK", "GOLD", "FIRST", "SECOND"))
    parser.add_argument("--tags", default="upos")
    arguments = parser.parse_args()
    repeats = arguments.repeats
    if arguments.measure:
        task, *paths = arguments.measure
        with numpy.errstate(divide="ignore"):  # seeds that happen to score alike
            measure(task, arguments.tags, *map(Path, paths), repeats)
        return
    generator = numpy.random.default_rng(1)
    start = time.time()

    print("\nEqual methods, new seeds and new sentences: coverage of 95 % intervals\n")
    print("| variances | seeds | hierarchical bootstrap | percentiles of both drawn | t-test over seeds |")
    print("|---|---|---|---|---|")
    weights = numpy.concatenate(list(drawn_weights(SENTENCES)))[:2000]
    for name, deviations in VARIANCES.items():
        for seeds in SEEDS:
            shares = 1 - over_sentences(generator, repeats, seeds, deviations, weights)
            print(f"| {name} | {seeds} | {' | '.join(f'{share:.1%}' for share in shares)} |", flush=True)

    print("\nEqual methods, new seeds, the same sentences (h: in the direction of the higher mean)\n")
    print("| seeds | percentile interval | t p < 5 % | h | Wilcoxon p < 5 % | h | order < 1/2 | h | mean abs(d) |")
    print("|---|---|---|---|---|---|---|---|---|")
    for seeds in range(2, 11):
        *shares, size = over_seeds(generator, 2 * repeats, seeds)
        print(f"| {seeds} | {' | '.join(f'{share:.1%}' for share in shares)} | {size:.2f} |", flush=True)

    print("\nAny wrong verdict among equal methods\n")
    print("| methods | seeds | Holm over all pairs | best of `answers` |")
    print("|---|---|---|---|")
    for methods in (2, 5, 30):
        for seeds in SEEDS:
            shares = of_many(generator, 2 * repeats, seeds, methods)
            print(f"| {methods} | {seeds} | {' | '.join(f'{share:.1%}' for share in shares)} |", flush=True)

    print("\nEffects over places: coverage of 95 % intervals\n")
    print("| places | two methods, t | normal quantiles | all methods in one model, t | fitted by statsmodels | none |")
    print("|---|---|---|---|---|---|")
    for places in (2, 3, 6):
        shares = over_places(generator, 10 * repeats, places)
        fitted, none = fitted_over_places(generator, max(repeats // 10, 1), places)
        print(f"| {places} | {' | '.join(f'{share:.1%}' for share in (*shares, fitted, none))} |", flush=True)
    generator = numpy.random.default_rng(2)
    deviations = (0, 0.5, 1, 2)
    print("\nThe last column of the third table, by the deviation of pretrainings in those of a seed\n")
    print(f"| methods | seeds | {' | '.join(map(str, deviations))} |")
    print("|---|---|---|---|---|---|")
    for methods in (2, 14):
        for seeds in SEEDS:
            shares = [of_many(generator, 2 * repeats, seeds, methods, pretraining=one)[1] for one in deviations]
            print(f"| {methods} | {seeds} | {' | '.join(f'{share:.1%}' for share in shares)} |", flush=True)
    print(f"\n{time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
