# torch.ao and onnxruntime for int8-error.mjs: rounds one model to int8 as each of them does, runs it, and prints as JSON how far
# its output is from the float32 one in the file. Before that counts, each must have that output in float32.
# Usage: int8-peers.py MODEL.safetensors SHAPE, the shape as int8-error.mjs writes it

import json
import os
import sys
import tempfile
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

warnings.filterwarnings("ignore")


def read(path):
    with open(path, "rb") as file:
        blob = file.read()
    start = 8 + int.from_bytes(blob[:8], "little")
    header = json.loads(blob[8:start])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(blob[start:][slice(*of["data_offsets"])], np.float32).reshape(of["shape"])
        for name, of in header.items()
    }


def rms(a, b):
    return float(np.sqrt(np.mean((a.astype(np.float64) - b) ** 2)))


def judged(name, exact, int8, reference):
    worst = float(np.abs(exact - reference).max())
    if worst > 1e-4:
        raise SystemExit(f"{name} in float32 is off by {worst}")
    return rms(int8, reference)


def in_torch(shape, tensors):
    kind = getattr(torch.nn, shape["module"])
    options = {}
    if shape["module"] != "Linear":
        options = {"num_layers": shape.get("layers", 1), "bidirectional": shape.get("both", False)}
    module = kind(shape["inputs"], shape["size"], **options)
    weights = {k: torch.tensor(v) for k, v in tensors.items() if k not in ("input", "reference")}
    module.load_state_dict(weights)
    model = torch.nn.Sequential(module).eval()
    int8 = torch.ao.quantization.quantize_dynamic(model, {kind}, dtype=torch.qint8)
    if type(int8[0]) is kind:
        return None
    x = torch.tensor(tensors["input"])
    first = lambda y: (y[0] if isinstance(y, tuple) else y).numpy()
    with torch.inference_mode():
        return judged("torch", first(model(x)), first(int8(x)), tensors["reference"])


def lstm_nodes(shape, tensors):
    """A node a layer; its output (T, D, B, H) is brought to (T, B, D·H) before the next."""
    nodes, held, name = [], [], "input"
    both, size = shape.get("both", False), shape["size"]
    add = lambda array, of: held.append(numpy_helper.from_array(np.ascontiguousarray(array), of)) or of
    rows = lambda array: array.reshape(4, size, -1)[[0, 3, 1, 2]].reshape(4 * size, -1)  # i, o, f, c
    add(np.array([0, 0, -1], np.int64), "flat")
    for layer in range(shape.get("layers", 1)):
        ends = [f"l{layer}"] + ([f"l{layer}_reverse"] if both else [])
        stacked = lambda what: np.stack([rows(tensors[f"{what}_{end}"]) for end in ends])
        bias = np.concatenate([stacked("bias_ih"), stacked("bias_hh")], 1)[:, :, 0]
        inputs = [name, add(stacked("weight_ih"), f"W{layer}"), add(stacked("weight_hh"), f"R{layer}"), add(bias, f"B{layer}")]
        direction = "bidirectional" if both else "forward"
        nodes.append(helper.make_node("LSTM", inputs, [f"y{layer}"], name=f"lstm{layer}", hidden_size=size, direction=direction))
        nodes.append(helper.make_node("Transpose", [f"y{layer}"], [f"t{layer}"], perm=[0, 2, 1, 3]))
        name = f"o{layer}"
        nodes.append(helper.make_node("Reshape", [f"t{layer}", "flat"], [name]))
    return nodes, held, name


def linear_nodes(tensors):
    held = [numpy_helper.from_array(np.ascontiguousarray(tensors["weight"].T), "W"), numpy_helper.from_array(tensors["bias"], "B")]
    return [helper.make_node("MatMul", ["input", "W"], ["m"]), helper.make_node("Add", ["m", "B"], ["y"])], held, "y"


def in_onnxruntime(shape, tensors):
    if shape["module"] not in ("LSTM", "Linear"):
        return None  # it has no other recurrent node in int8
    nodes, held, out = lstm_nodes(shape, tensors) if shape["module"] == "LSTM" else linear_nodes(tensors)
    value = lambda n, dims: helper.make_tensor_value_info(n, TensorProto.FLOAT, dims)
    graph = helper.make_graph(nodes, "g", [value("input", tensors["input"].shape)], [value(out, tensors["reference"].shape)], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, n) for n in ("float.onnx", "int8.onnx")]
        onnx.save(model, paths[0])
        quantize_dynamic(paths[0], paths[1], weight_type=QuantType.QInt8, per_channel=True)
        found = [n.op_type for n in onnx.load(paths[1]).graph.node]
        if not {"DynamicQuantizeLSTM", "MatMulInteger"} & set(found):
            raise SystemExit(f"onnxruntime rounded nothing: {found}")
        run = lambda path: onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"input": tensors["input"]})[0]
        return judged("onnxruntime", run(paths[0]), run(paths[1]), tensors["reference"])


shape, tensors = json.loads(sys.argv[2]), read(sys.argv[1])
found = {}
if not shape.get("projection"):  # neither has one in int8
    found = {"torch": in_torch(shape, tensors), "onnxruntime": in_onnxruntime(shape, tensors)}
print(json.dumps({name: error for name, error in found.items() if error is not None}))
