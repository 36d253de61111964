# PyTorch as a contender: a child process that reads one JSON request a line, runs and times the module itself, writes
# the results to the file it is told to, and answers with one JSON line. It needs torch and nothing else.
# For a padded batch with lengths, packing and padding again are inside the timed pass.

import ctypes
import warnings

import torch
from peer import measure, serve
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def read_tensors(path, entries, dtype):
    with open(path, "rb") as file:
        blob = bytearray(file.read())
    tensors, at = {}, 0
    for name, shape in entries:
        size = 1
        for dim in shape:
            size *= dim
        tensors[name] = torch.frombuffer(blob, dtype=dtype, count=size, offset=at).reshape(shape).clone()
        at += size * torch.empty((), dtype=dtype).element_size()
    return tensors


def make_pass(request, tensors):
    shape = request["shape"]
    kinds = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}
    module = kinds[shape.get("cell", "lstm")](
        shape["inputSize"],
        shape["hiddenSize"],
        shape["layers"],
        bidirectional=shape["directions"] == 2,
        dtype=tensors["input"].dtype,
    )
    module.load_state_dict({name: tensor for name, tensor in tensors.items() if "_l" in name})
    module.eval()
    if request["weights"] == "int8":
        # It replaces what it finds inside a module, not the module itself.
        held = torch.nn.Sequential(module)
        module = torch.ao.quantization.quantize_dynamic(held, {torch.nn.LSTM}, dtype=torch.qint8)[0]
    x = tensors["input"]
    h0, c0 = tensors.get("h0"), tensors.get("c0")
    state = h0 if c0 is None else (h0, c0)
    if "lengths" not in shape:
        return lambda: module(x, state)
    lengths = torch.tensor(shape["lengths"])

    def packed():
        rows, final = module(pack_padded_sequence(x, lengths, enforce_sorted=False), state)
        return pad_packed_sequence(rows, total_length=shape["steps"])[0], final

    return packed


def answer(request):
    torch.set_num_threads(request["threads"])
    dtype = getattr(torch, request["shape"]["dtype"])
    run = make_pass(request, read_tensors(request["tensors"], request["entries"], dtype))
    output, final = run()
    states = final if isinstance(final, tuple) else (final,)
    with open(request["results"], "wb") as file:
        for tensor in [tensor.contiguous() for tensor in (output, *states)]:
            file.write(ctypes.string_at(tensor.data_ptr(), tensor.element_size() * tensor.numel()))
    return measure(run, request)


warnings.filterwarnings("ignore")  # torch.ao tells of its successor at every call
torch.set_grad_enabled(False)
serve({"version": torch.__version__}, torch.inference_mode()(answer))
