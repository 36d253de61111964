# OpenVINO as a contender: a child process that reads one JSON request a line, runs and times the ONNX model that it is
# pointed to, writes the results to the file it is told to, and answers with one JSON line. It needs openvino and numpy.

import numpy as np
import openvino as ov
from peer import measure, serve

core = ov.Core()


def read_feeds(request):
    shape = request["shape"]
    blob, at, feeds = np.fromfile(request["tensors"], np.float32), 0, {}
    for name, dims in request["entries"]:
        size = int(np.prod(dims))
        tensor = blob[at : at + size].reshape(dims)
        at += size
        if name == "input":
            feeds[name] = tensor
        else:  # h0 and c0, which the model takes layer by layer
            for layer, part in enumerate(np.split(tensor, shape["layers"])):
                feeds[f"{name}_{layer}"] = np.ascontiguousarray(part)
    if "lengths" in shape:
        feeds["lengths"] = np.array(shape["lengths"], np.int32)
    return feeds


def answer(request):
    config = {
        "INFERENCE_NUM_THREADS": request["threads"],
        "INFERENCE_PRECISION_HINT": request["precision"],
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = core.compile_model(core.read_model(request["model"]), "CPU", config)
    asked = compiled.create_infer_request()
    for name, array in read_feeds(request).items():
        asked.set_tensor(name, ov.Tensor(array))
    run = asked.infer
    run()
    layers = range(request["shape"]["layers"])
    names = ["output", *(f"{state}n_{layer}" for state in ("h", "c") for layer in layers)]
    held = {name for port in compiled.outputs for name in port.names}
    with open(request["results"], "wb") as file:
        for name in names:
            if name in held:
                file.write(asked.get_tensor(name).data.astype(np.float32).tobytes())
    return measure(run, request)


able = {"FP32": "f32", "BF16": "bf16"}
precisions = [able[name] for name in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") if name in able]
serve({"version": ov.__version__.split("-")[0], "precisions": precisions}, answer)
