"""Trains the syllable counter and records what PyTorch makes of it.

    python3 train.py [dictionary] [--out folder] [--epochs n] [--seed n] [--develop]

The dictionary is index.js of the npm package cmu-pronouncing-dictionary (found in node_modules after `npm ci`).
Writes model.safetensors (the weights), reference.json (the accuracy on the held-out words, and a sample of them) and
reference.safetensors (that sample's logits). Needs torch and nothing else: 2.x takes eight minutes on one core, 1.13
without MKL works and takes an hour and a half. The same torch on the same kind of processor with the same seed gives
the same file. words.ts reads the dictionary by the same rules.
"""

import argparse
import json
import pathlib
import re
import struct
import time

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence, pack_sequence

ALPHABET = "'-.abcdefghijklmnopqrstuvwxyz"  # every character of the dictionary's words
CLASSES = 13  # the class is the number of syllables: 0 ("hmm") to 12 ("antidisestablishmentarianism")
EMBEDDING = 16
HIDDEN = 80
DROPOUT = 0.3
BATCH = 128
RATE = 8e-3
SAMPLE = 200  # held-out words whose logits are recorded
VOWELS = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split()  # ARPAbet's, each the heart of one syllable
HERE = pathlib.Path(__file__).resolve().parent


# --- data -------------------------------------------------------------------------------------------------------------


def fnv1a(word):
    """The 32-bit FNV-1a hash, by which a word is held out: the same in any language, for any order of the words."""
    h = 0x811C9DC5
    for byte in word.encode():
        h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    return h


def read_dictionary(path):
    """(word, its vowels) for each word's first pronunciation. Later ones, listed as "word(2)", are left out."""
    entries = re.findall(r'^  "([^"]+)": "([^"]+)",?$', pathlib.Path(path).read_text(), re.M)
    split = [(word, [p[:-1] for p in phonemes.split() if p[-1].isdigit()]) for word, phonemes in entries]
    return [(word, vowels) for word, vowels in split if not word.endswith(")")]


def letters(word):
    return torch.tensor([ALPHABET.index(c) for c in word])


def batches(words, size, generator):
    """Shuffled batches of words of one length: no padding, and each batch is a plain dense tensor (T, B)."""
    by_length = {}
    for i in torch.randperm(len(words), generator=generator).tolist():
        by_length.setdefault(len(words[i][0]), []).append(words[i])
    cut = [group[i : i + size] for group in by_length.values() for i in range(0, len(group), size)]
    for i in torch.randperm(len(cut), generator=generator).tolist():
        yield cut[i]


# --- model ------------------------------------------------------------------------------------------------------------


class Syllables(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(len(ALPHABET), EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, num_layers=2, bidirectional=True, dropout=DROPOUT)
        self.linear = nn.Linear(2 * HIDDEN, CLASSES)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, letters):
        """The logits, and every step's output; `letters` are places in the alphabet, (T, B) or packed."""
        if isinstance(letters, PackedSequence):
            embedded = letters._replace(data=self.embedding(letters.data))
        else:
            embedded = self.embedding(letters)
        output, (hn, _) = self.lstm(embedded)
        return self.linear(self.dropout(torch.cat([hn[-2], hn[-1]], 1))), output


@torch.no_grad()
def logits_of(model, words):
    model.eval()
    parts = []
    for i in range(0, len(words), 1024):
        packed = pack_sequence([letters(w) for w, _ in words[i : i + 1024]], enforce_sorted=False)
        parts.append(model(packed)[0])
    return torch.cat(parts)


def train(model, words, args):
    """Cross-entropy on the count. While training, a second head names the vowels in order (CTC), and is then thrown
    away: it costs nothing when the model is used, and was worth half a point (94.8% to 95.4%) in an early run."""
    vowel_head = nn.Linear(2 * HIDDEN, 1 + len(VOWELS))
    parameters = [*model.parameters(), *vowel_head.parameters()]
    generator = torch.Generator().manual_seed(args.seed)
    steps = args.epochs * len(list(batches(words, BATCH, generator)))
    optimizer = torch.optim.Adam(parameters, lr=RATE)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps, pct_start=0.15)
    began = time.time()
    for epoch in range(args.epochs):
        model.train()
        total = 0.0
        for batch in batches(words, BATCH, generator):
            counts = torch.tensor([len(vowels) for _, vowels in batch])
            spelled = torch.tensor([VOWELS.index(v) + 1 for _, vowels in batch for v in vowels])
            logits, output = model(torch.stack([letters(w) for w, _ in batch], 1))
            loss = F.cross_entropy(logits, counts, label_smoothing=0.05)
            spoken = vowel_head(model.dropout(output)).log_softmax(2)
            lengths = torch.full((len(batch),), len(output))
            loss = loss + 0.5 * F.ctc_loss(spoken, spelled, lengths, counts, zero_infinity=True)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            scheduler.step()
            total += loss.item() * len(batch)
        yield epoch, total / len(words), time.time() - began


# --- files ------------------------------------------------------------------------------------------------------------


def save_safetensors(path, state_dict, metadata):
    """https://github.com/huggingface/safetensors#format: header length, header, then the tensors one after another."""
    header, data = {"__metadata__": metadata}, b""
    for name, tensor in state_dict.items():
        raw = tensor.contiguous().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def reference(model, words, test, args):
    """What is to be reproduced, and the figures to compare with: json for what is read, tensors for the numbers."""
    counts = torch.tensor([len(vowels) for _, vowels in test])
    logits = logits_of(model, test)
    correct = int((logits.argmax(1) == counts).sum())
    sample = range(0, len(test), len(test) // SAMPLE)[:SAMPLE]
    about = {
        "torch": str(torch.__version__),
        "seed": args.seed,
        "epochs": args.epochs,
        "words": len(words),
        "heldOut": len(test),
        "correct": correct,
        "accuracy": round(correct / len(test), 6),
        "sample": [test[i][0] for i in sample],
    }
    return about, torch.stack([logits[i] for i in sample])


def main():
    parser = argparse.ArgumentParser()
    default = HERE / "../../node_modules/cmu-pronouncing-dictionary/index.js"
    parser.add_argument("dictionary", nargs="?", default=default)
    parser.add_argument("--out", type=pathlib.Path, default=HERE)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--develop", action="store_true", help="measure on another tenth, the held-out one untouched")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)  # so that the sums, and with them the weights, do not depend on the machine's cores

    words = read_dictionary(args.dictionary)
    held = 1 if args.develop else 0
    test = [w for w in words if fnv1a(w[0]) % 10 == held]
    learnt = [w for w in words if fnv1a(w[0]) % 10 > held]
    model = Syllables()
    print(f"torch {torch.__version__}: {len(learnt)} words to learn from, {len(test)} held out", flush=True)
    for epoch, loss, seconds in train(model, learnt, args):
        print(f"epoch {epoch + 1} of {args.epochs}: loss {loss:.4f}, {seconds:.0f} s", flush=True)

    about, logits = reference(model, words, test, args)
    print(f"accuracy: {about['correct']} of {about['heldOut']} held-out words, {about['accuracy']:.2%}", flush=True)
    if not args.develop:
        metadata = {"format": "pt", "task": "syllables of an English word", "alphabet": ALPHABET}
        save_safetensors(args.out / "model.safetensors", model.state_dict(), metadata)
        save_safetensors(args.out / "reference.safetensors", {"logits": logits}, {"format": "pt"})
        (args.out / "reference.json").write_text(json.dumps(about, indent=2) + "\n")


if __name__ == "__main__":
    main()
