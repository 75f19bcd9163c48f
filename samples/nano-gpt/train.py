"""Trains nano-gpt, a transformer of three layers and nine heads that sorts six letters, and writes the files beside this script.

    python3 train.py            train, verify, write config.json, model.safetensors and oracle/oracle.safetensors
    python3 train.py --check    verify the files that are there and say what each head attends to; writes nothing

The task. The letters A, B, C are the tokens 0, 1, 2. The model reads six letters and then writes them sorted, one at a time:

    position     0 1 2 3 4 5 6 7 8 9 10
    token        C B A B B A A A B B B        six letters, then the first five of the answer
    next token             A A B B B C        what the logits at positions 5..10 have to say

Shapes are written with these letters:

    B sequences    T positions (at most 11)    H = 3 heads    E = 16 elements of a head    D = H * E = 48, the width of the model
"""

import json
import os
import struct
import sys
from itertools import product
from math import cos, pi, sqrt
from pathlib import Path

# PyTorch rounds differently with other vector instructions, and after a thousand steps it shows: always the same ones.
os.environ["ATEN_CPU_CAPABILITY"] = "avx2"

import torch
from torch import nn
from torch.nn import functional as F

LETTERS = 6
CONFIG = {
    "model_type": "mingpt",
    "n_layer": 3,
    "n_head": 3,
    "n_embd": 48,
    "vocab_size": 3,
    "block_size": 2 * LETTERS - 1,
    "layer_norm_epsilon": 1e-5,
    "activation_function": "gelu_new",
    "bias": True,
    "tie_word_embeddings": False,
}

SEED = 729
HELD_OUT = 181          # of the 729 inputs, never trained on
STEPS = 1200
BATCH = 32
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.1
ATTENTION_SPREAD = 0.2  # standard deviation of the first query, key and value weights; much less and the heads stay alike
COMFORTABLE_GAP = 1.0   # between the best logit and the second, at every single decision
TOLERANCE = 1e-4        # between the oracle in the file and the one computed now

FOLDER = Path(__file__).resolve().parent
CONFIG_FILE = FOLDER / "config.json"
MODEL_FILE = FOLDER / "model.safetensors"
ORACLE_FILE = FOLDER / "oracle" / "oracle.safetensors"
ORACLE_INPUTS = ["CBABBA", "AAAAAA", "CCBBAA", "BCACBC"]


# ---------------------------------------------------------------------------------------------------------------------
# The model. Attribute names are the names of the tensors in the file: transformer.h.0.attn.c_attn.weight and so on.
# `note(name, tensor)` is called with every intermediate; this is how the oracle is recorded.

def ignore(name, tensor):
    pass


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        width = CONFIG["n_embd"]
        self.c_attn = nn.Linear(width, 3 * width)   # rows 0-47 make the queries, 48-95 the keys, 96-143 the values
        self.c_proj = nn.Linear(width, width)       # W_O
        nn.init.normal_(self.c_attn.weight, std=ATTENTION_SPREAD)

    def forward(self, x, note=ignore):                                              # x [B, T, D]
        B, T, D = x.shape
        H = CONFIG["n_head"]
        E = D // H
        query, key, value = self.c_attn(x).split(D, dim=2)                          # 3 times [B, T, D]
        query = query.view(B, T, H, E).transpose(1, 2)                              # [B, H, T, E]
        key = key.view(B, T, H, E).transpose(1, 2)                                  # [B, H, T, E]
        value = value.view(B, T, H, E).transpose(1, 2)                              # [B, H, T, E]
        scores = query @ key.transpose(2, 3) / sqrt(E)                              # [B, H, T, T]: row attends to column
        future = torch.ones(T, T, dtype=torch.bool).triu(diagonal=1)                # [T, T]: true where column > row
        pattern = F.softmax(scores.masked_fill(future, float("-inf")), dim=3)       # [B, H, T, T]: every row sums to 1
        head_output = (pattern @ value).transpose(1, 2).reshape(B, T, D)            # [B, T, D]: the heads side by side
        attention_output = self.c_proj(head_output)                                 # [B, T, D]
        note("query", query)
        note("key", key)
        note("value", value)
        note("scores", scores)
        note("pattern", pattern)
        note("head_output", head_output)
        note("attention_output", attention_output)
        return attention_output


class FeedForward(nn.Module):
    def __init__(self):
        super().__init__()
        width = CONFIG["n_embd"]
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x, note=ignore):                                              # x [B, T, D]
        hidden = F.gelu(self.c_fc(x), approximate="tanh")                           # [B, T, 4 D]
        note("hidden", hidden)
        return self.c_proj(hidden)                                                  # [B, T, D]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        width, epsilon = CONFIG["n_embd"], CONFIG["layer_norm_epsilon"]
        self.ln_1 = nn.LayerNorm(width, eps=epsilon)
        self.attn = Attention()
        self.ln_2 = nn.LayerNorm(width, eps=epsilon)
        self.mlp = FeedForward()

    def forward(self, x, note=ignore):                                              # x [B, T, D]
        ln_1 = self.ln_1(x)                                                         # [B, T, D]
        note("ln_1", ln_1)
        residual = x + self.attn(ln_1, note)                                        # [B, T, D]
        ln_2 = self.ln_2(residual)                                                  # [B, T, D]
        note("residual", residual)
        note("ln_2", ln_2)
        output = residual + self.mlp(ln_2, note)                                    # [B, T, D]
        note("output", output)
        return output


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        width = CONFIG["n_embd"]
        self.wte = nn.Embedding(CONFIG["vocab_size"], width)
        self.wpe = nn.Embedding(CONFIG["block_size"], width)
        self.h = nn.ModuleList([Block() for _ in range(CONFIG["n_layer"])])
        self.ln_f = nn.LayerNorm(width, eps=CONFIG["layer_norm_epsilon"])

    def forward(self, tokens, note=ignore):                                         # tokens [B, T], whole numbers
        positions = torch.arange(tokens.shape[1])                                   # [T]
        x = self.wte(tokens) + self.wpe(positions)                                  # [B, T, D]
        note("embedded", x)
        for layer, block in enumerate(self.h):
            x = block(x, lambda name, tensor: note(f"layers.{layer}.{name}", tensor))
        x = self.ln_f(x)                                                            # [B, T, D]
        note("ln_f", x)
        return x


class NanoGpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.transformer = Transformer()
        self.lm_head = nn.Linear(CONFIG["n_embd"], CONFIG["vocab_size"], bias=False)

    def forward(self, tokens, note=ignore):                                         # tokens [B, T]
        logits = self.lm_head(self.transformer(tokens, note))                       # [B, T, 3]
        note("logits", logits)
        return logits


# ---------------------------------------------------------------------------------------------------------------------
# The data: there are only 3^6 inputs, so all of them are listed and the model can be verified completely.

def all_inputs():
    return torch.tensor(list(product(range(CONFIG["vocab_size"]), repeat=LETTERS)))  # [729, 6]


def with_answer(inputs):                                                            # inputs [B, 6]
    return torch.cat([inputs, inputs.sort(dim=1).values], dim=1)                    # [B, 12]


def train():
    generator = torch.Generator().manual_seed(SEED)
    inputs = all_inputs()                                                           # [729, 6]
    order = torch.randperm(len(inputs), generator=generator)                        # [729]
    held_out, trained_on = inputs[order[:HELD_OUT]], inputs[order[HELD_OUT:]]       # [181, 6] and [548, 6]

    torch.manual_seed(SEED)     # for the first weights, which are drawn from the global generator
    model = NanoGpt()
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": vectors, "weight_decay": 0.0}],
        lr=LEARNING_RATE, betas=(0.9, 0.99))

    for step in range(STEPS):
        rate = LEARNING_RATE * min(1, (step + 1) / 100) * 0.5 * (1 + cos(pi * step / STEPS))
        for group in optimizer.param_groups:
            group["lr"] = rate

        batch = trained_on[torch.randint(len(trained_on), (BATCH,), generator=generator)]           # [B, 6]
        sequences = with_answer(batch)                                                              # [B, 12]
        logits = model(sequences[:, :-1])                                                           # [B, 11, 3]
        answer, wanted = logits[:, LETTERS - 1:], sequences[:, LETTERS:]                            # [B, 6, 3] and [B, 6]
        loss = F.cross_entropy(answer.reshape(-1, CONFIG["vocab_size"]), wanted.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if (step + 1) % 200 == 0:
            print(f"step {step + 1}: loss {loss.item():.6f}")

    right, _ = sort_greedily(model, held_out)
    print(f"held-out inputs sorted: {right} of {len(held_out)}")
    return model


# ---------------------------------------------------------------------------------------------------------------------
# What the model can do.

@torch.no_grad()
def sort_greedily(model, inputs):
    """Lets the model write the answers. Returns how many are right and the smallest gap between the two best logits."""
    sequences, smallest = inputs, float("inf")                                      # [B, 6]
    for _ in range(LETTERS):
        logits = model(sequences)[:, -1]                                            # [B, 3]
        best = logits.topk(2, dim=1)
        smallest = min(smallest, (best.values[:, 0] - best.values[:, 1]).min().item())
        sequences = torch.cat([sequences, best.indices[:, :1]], dim=1)              # [B, 7], ... [B, 12]
    right = (sequences == with_answer(inputs)).all(dim=1).sum().item()
    return right, smallest


def verify(model):
    inputs = all_inputs()
    right, smallest = sort_greedily(model, inputs)
    print(f"inputs sorted: {right} of {len(inputs)}; smallest gap between the two best logits: {smallest:.3f}")
    if right != len(inputs) or smallest < COMFORTABLE_GAP:
        sys.exit("the model is not good enough to be shipped")


@torch.no_grad()
def compute_oracle(model):
    """Every intermediate of a few inputs, computed by PyTorch."""
    inputs = torch.tensor([["ABC".index(letter) for letter in text] for text in ORACLE_INPUTS])     # [4, 6]
    tokens = with_answer(inputs)[:, :-1]                                                            # [4, 11]
    oracle = {"tokens": tokens.float()}
    model(tokens, oracle.__setitem__)
    return oracle


@torch.no_grad()
def describe_heads(model):
    """Where the attention of the deciding positions 5..10 goes, in percent, over all 729 inputs."""
    sequences = with_answer(all_inputs())                                           # [729, 12]
    tokens, wanted = sequences[:, :-1], sequences[:, 1:]                            # [729, 11] both
    patterns = {}
    model(tokens, patterns.__setitem__)
    deciding = slice(LETTERS - 1, None)
    T = tokens.shape[1]
    row, column = torch.arange(T)[:, None], torch.arange(T)[None, :]                # [T, 1] and [1, T]
    question = (column < LETTERS).expand(T, T)                                      # [T, T]: the column is one of the six letters
    places = {
        "six letters": question.expand(len(tokens), T, T),
        "next letter": question & (tokens[:, None, :] == wanted[:, :, None]),       # ... and holds the letter to be written
        "itself": (row == column).expand(len(tokens), T, T),
        "one before": (row == column + 1).expand(len(tokens), T, T),
        "A": (tokens[:, None, :] == 0).expand(len(tokens), T, T),
        "B": (tokens[:, None, :] == 1).expand(len(tokens), T, T),
        "C": (tokens[:, None, :] == 2).expand(len(tokens), T, T),
    }                                                                               # each [729, T, T], true where it counts
    columns = list(places) + [f"on {letter} for {letter}" for letter in "ABC"]        # the last: only where that letter is to be written
    print("layer head  " + " ".join(f"{name:>12}" for name in columns))

    def describe(label, pattern):                                                   # pattern [729, T, T]
        shares = [(pattern * place).sum(dim=2)[:, deciding].mean().item() for place in places.values()]
        for letter in range(CONFIG["vocab_size"]):
            on_letter = (pattern * places["ABC"[letter]]).sum(dim=2)[:, deciding]   # [729, 6]
            shares.append(on_letter[wanted[:, deciding] == letter].mean().item())
        print(label + " ".join(f"{100 * share:>12.1f}" for share in shares))

    alike = (column <= row) / (row + 1)                                             # [T, T]: every visible position alike
    describe("    (alike) ", alike.expand(len(tokens), T, T))
    for layer in range(CONFIG["n_layer"]):
        for head in range(CONFIG["n_head"]):
            describe(f"{layer:>5} {head:>4}  ", patterns[f"layers.{layer}.pattern"][:, head])


# ---------------------------------------------------------------------------------------------------------------------
# safetensors: the length of the header in 8 bytes, the header in JSON padded with spaces to a multiple of 8 bytes, then
# the tensors one after the other. Everything is little-endian; a tensor's elements lie row by row.

def write_safetensors(path, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, bytearray()
    for name, tensor in tensors.items():
        start = len(data)
        data += struct.pack(f"<{tensor.numel()}f", *tensor.flatten().tolist())
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [start, len(data)]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_safetensors(path):
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    header, data = json.loads(content[8:8 + length]), content[8 + length:]
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        tensors[name] = torch.tensor(struct.unpack(f"<{(end - start) // 4}f", data[start:end])).reshape(entry["shape"])
    return tensors


def largest_difference(some, others):
    if some.keys() != others.keys():
        sys.exit(f"different tensors: {sorted(some.keys() ^ others.keys())}")
    return max((some[name].double() - others[name].double()).abs().max().item() for name in some)


def check():
    if json.loads(CONFIG_FILE.read_text()) != CONFIG:
        sys.exit("config.json is not the configuration of this script")
    model = NanoGpt()
    model.load_state_dict(read_safetensors(MODEL_FILE))
    verify(model)
    describe_heads(model)
    oracle = read_safetensors(ORACLE_FILE)
    in_float32 = largest_difference(oracle, compute_oracle(model))
    in_float64 = largest_difference(oracle, compute_oracle(model.double()))
    print(f"largest difference of the oracle from float32 computed now: {in_float32:.1e}, from float64: {in_float64:.1e}")
    if max(in_float32, in_float64) > TOLERANCE:
        sys.exit("the oracle does not belong to the model")


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    if sys.argv[1:] == ["--check"]:
        check()
    elif not sys.argv[1:]:
        model = train()
        verify(model)
        CONFIG_FILE.write_text(json.dumps(CONFIG, indent=2) + "\n")
        write_safetensors(MODEL_FILE, model.state_dict())
        write_safetensors(ORACLE_FILE, compute_oracle(model))
        for path in (CONFIG_FILE, MODEL_FILE, ORACLE_FILE):
            print(f"{path.relative_to(FOLDER)}: {path.stat().st_size} bytes")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
