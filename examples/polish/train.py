"""Trains the polisher on simulated reads and records what PyTorch makes of a held-out genome.

    python3 train.py [--out folder] [--steps n] [--seed n]

Writes model.pt (the weights), pileup.pt (the held-out genome's pileup, its truth, and PyTorch's logits for every fifth
column) and reference.json (how many columns the majority vote and the GRU get right). Needs torch and nothing else, and
takes four minutes on one core. The same torch on the same kind of processor with the same seed gives the same files.

The features and classes are those of medaka (https://github.com/nanoporetech/medaka), the network is half as wide:
for each column of the pileup how many reads show A, C, G, T on the reverse strand, the same on the forward strand,
and how many show nothing there, reverse and forward.
"""

import argparse
import json
import pathlib
import time

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence, pack_sequence, unpack_sequence

FEATURES = 10  # acgtACGTdD: bases of reverse reads, of forward reads, then gaps of both
CLASSES = 5  # *ACGT: a gap, or the base
HIDDEN = 64
WINDOW = 200  # columns that a training example has
BATCH = 64
RATE = 5e-3
EVERY = 5  # columns from one recorded logit to the next
HERE = pathlib.Path(__file__).resolve().parent

# How reads go wrong, after nanopore reads: runs of one base come out short, the longer the oftener, and a methylated A
# (in GATC) is taken for G by most reads of that strand.
LONGER = 0.35  # the chance that a run of one base goes on
LONGEST = 12
SUBSTITUTED = 0.02
INSERTED = 0.015
LONGER_READ = 0.01  # the chance that a run comes out one base longer
METHYLATED = 0.8  # the chance that GATC's A is read as G


# --- reads ------------------------------------------------------------------------------------------------------------


class Genome:
    """A random genome as runs of one base: which base (0 to 3, ACGT), how many of it, and where GATC's A and T are."""

    def __init__(self, runs, rng):
        steps = torch.randint(1, 4, (runs,), generator=rng)  # to another base than the last one's
        self.bases = steps.cumsum(0) % 4
        tosses = torch.rand(runs, generator=rng).log() / torch.tensor(LONGER).log()
        self.lengths = (1 + tosses.floor().long()).clamp(max=LONGEST)
        a, t = torch.zeros(runs, dtype=torch.bool), torch.zeros(runs, dtype=torch.bool)
        g, middle_a, middle_t, c = (self.bases[i : runs - 3 + i] == base for i, base in enumerate((2, 0, 3, 1)))
        alone = (self.lengths[1:-2] == 1) & (self.lengths[2:-1] == 1)
        motif = g & middle_a & middle_t & c & alone
        a[1:-2], t[2:-1] = motif, motif
        self.methylated = t, a  # by strand: reverse reads (0) see the other strand's A, which stands at T


def read_runs(genome, start, end, rng):
    """How many bases one read has of each run from start to end, and how many foreign ones after it (0 or 1)."""
    lengths = genome.lengths[start:end]
    lost = torch.rand(3, len(lengths), generator=rng) < 0.02 + 0.04 * (lengths - 1)
    grown = torch.rand(len(lengths), generator=rng) < LONGER_READ * lengths
    inserted = torch.rand(len(lengths), generator=rng) < INSERTED
    return (lengths - lost.sum(0) + grown).clamp(min=0), inserted.long()


def read_bases(genome, runs, strand, rng):
    """The base that one read of a strand shows in columns of these runs, where it shows one."""
    bases = genome.bases[runs]
    other = (bases + torch.randint(1, 4, runs.shape, generator=rng)) % 4
    bases = torch.where(torch.rand(len(runs), generator=rng) < SUBSTITUTED, other, bases)
    misread = genome.methylated[strand][runs] & (torch.rand(len(runs), generator=rng) < METHYLATED)
    return torch.where(misread, 2 if strand else 1, bases)  # A as G; on the other strand that is T as C


def pileup(runs, depth, rng):
    """Counts (N, 10) and the true class (N,) of each column, over a genome of so many runs.

    A run has as many columns as the read that shows most of it, and one more where a read has an insertion; a base that
    no read shows has none. Bases stand at the run's left, as aligners put them, whatever the truth is.
    """
    genome = Genome(runs, rng)
    reads, covered = [], 0
    width, gaps = torch.zeros(runs, dtype=torch.long), torch.zeros(runs, dtype=torch.long)
    while covered < depth * runs:
        size = int(torch.randint(500, 4000, (), generator=rng))
        start = int(torch.randint(-size, runs, (), generator=rng))
        start, end = max(start, 0), min(start + size, runs)
        if end <= start:
            continue
        strand = int(torch.randint(2, (), generator=rng))
        shown, inserted = read_runs(genome, start, end, rng)
        width[start:end] = torch.maximum(width[start:end], shown)
        gaps[start:end] = torch.maximum(gaps[start:end], inserted)
        reads.append((start, end, strand, shown, inserted))
        covered += end - start

    columns = width + gaps
    first = F.pad(columns.cumsum(0), (1, 0))
    run = torch.arange(runs).repeat_interleave(columns)
    place = torch.arange(len(run)) - first[run]
    between = place >= width[run]  # the columns of insertions
    counts = torch.zeros(len(run), FEATURES, dtype=torch.uint8)
    for start, end, strand, shown, inserted in reads:
        at = slice(int(first[start]), int(first[end]))
        runs_at, local = run[at], run[at] - start
        bases = read_bases(genome, runs_at, strand, rng)
        bases = torch.where(between[at], torch.randint(4, bases.shape, generator=rng), bases)
        there = torch.where(between[at], inserted[local] > 0, place[at] < shown[local])
        feature = torch.where(there, bases + 4 * strand, 8 + strand)
        counts[at].scatter_add_(1, feature[:, None], torch.ones(len(feature), 1, dtype=torch.uint8))
    truth = torch.where(place < genome.lengths[run], genome.bases[run] + 1, 0)
    return counts, truth.to(torch.uint8)


def shares(counts):
    """Counts as shares of the reads that cover the column."""
    return counts / counts.sum(-1, keepdim=True).clamp(min=1)


def vote(counts):
    """The class that most reads of a column show."""
    both = counts[:, 0:4].int() + counts[:, 4:8].int()
    return torch.cat([counts[:, 8:].int().sum(1, keepdim=True), both], 1).argmax(1)


# --- model ------------------------------------------------------------------------------------------------------------


class Polisher(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(FEATURES, HIDDEN, num_layers=2, bidirectional=True)
        self.linear = nn.Linear(2 * HIDDEN, CLASSES)

    def forward(self, x):
        """The logits of every column, of x (T, B, 10) or packed, in its form."""
        output, _ = self.gru(x)
        if isinstance(output, PackedSequence):
            return output._replace(data=self.linear(output.data))
        return self.linear(output)


@torch.no_grad()
def logits_of(model, contigs):
    """The logits (N, 5) of all columns of contigs, each read whole."""
    packed = pack_sequence([shares(counts) for counts, _ in contigs], enforce_sorted=False)
    return torch.cat(unpack_sequence(model.eval()(packed)))


def train(model, contigs, args, rng):
    """Cross-entropy over random windows of random contigs."""
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=args.steps, pct_start=0.1)
    inputs = torch.cat([shares(counts) for counts, _ in contigs])
    truths = torch.cat([truth for _, truth in contigs]).long()
    model.train()
    began, total = time.time(), 0.0
    for step in range(1, args.steps + 1):
        starts = torch.randint(len(inputs) - WINDOW, (BATCH,), generator=rng)
        at = torch.arange(WINDOW)[:, None] + starts
        logits = model(inputs[at])
        loss = F.cross_entropy(logits.flatten(0, 1), truths[at].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        total += loss.item()
        if step % 100 == 0:
            print(f"step {step} of {args.steps}: loss {total / 100:.5f}, {time.time() - began:.0f} s", flush=True)
            total = 0.0


# --- files ------------------------------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, default=HERE)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)  # so that the sums, and with them the weights, do not depend on the machine's cores

    rng = torch.Generator().manual_seed(args.seed)
    depths = [8 + i % 25 for i in range(50)]
    learnt = [pileup(15_000, depth, rng) for depth in depths]
    held = [pileup(200 + 60 * i, 12 + i % 10, rng) for i in range(16)]
    counts, truth = (torch.cat(parts) for parts in zip(*held))
    print(f"torch {torch.__version__}: {sum(len(c) for c, _ in learnt)} columns to learn from, {len(truth)} held out")

    model = Polisher()
    train(model, learnt, args, rng)
    logits = logits_of(model, held)
    about = {
        "torch": str(torch.__version__),
        "seed": args.seed,
        "columns": len(truth),
        "bases": int((truth > 0).sum()),
        "vote": int((vote(counts) == truth).sum()),
        "gru": int((logits.argmax(1) == truth).sum()),
        "every": EVERY,
    }
    print(about)
    torch.save(model.state_dict(), args.out / "model.pt")
    lengths = torch.tensor([len(contig) for contig, _ in held])
    held_out = {"counts": counts, "truth": truth, "lengths": lengths, "logits": logits[::EVERY].clone()}
    torch.save(held_out, args.out / "pileup.pt")
    (args.out / "reference.json").write_text(json.dumps(about, indent=2) + "\n")


if __name__ == "__main__":
    main()
