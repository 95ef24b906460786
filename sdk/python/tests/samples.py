"""Files that the C++ program `interop_samples` writes, and safetensors files of our own."""
import json
import os
import struct
import subprocess
import tempfile
import unittest

import numpy as np

_folder = None


def folder():
    """Where they are; skips the test where ctest has not said which program writes them."""
    global _folder
    program = os.environ.get("RIVAL_SAMPLES")
    if not program:
        raise unittest.SkipTest("RIVAL_SAMPLES does not name the program that writes samples; ctest does")
    if _folder is None:
        _folder = tempfile.TemporaryDirectory()
        subprocess.run([program, _folder.name], check=True)
    return _folder.name


def read(path):
    """The tensors and metadata of a file of f32."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, about in header.items():
        first, last = (8 + length + n for n in about["data_offsets"])
        tensors[name] = np.frombuffer(data[first:last], "<f4").reshape(about["shape"])
    return tensors, metadata


def write(path, tensors, metadata):
    header, body = {"__metadata__": metadata}, b""
    for name, tensor in tensors.items():
        data = np.ascontiguousarray(tensor, "<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


def random_bot(path, spec, hidden=(8,), memory=0, seed=0):
    """Writes a bot with random weights, for games of vectors, small grids and discrete choices."""
    random = np.random.default_rng(seed)
    size, out = sum(p.size for p in spec.observation), sum(p.size for p in spec.action)
    tensors = {
        "observation.mean": np.zeros(size),
        "observation.scale": np.ones(size),
        "value.mean_and_scale": np.array([0, 1]),
    }
    width = size
    for i, h in enumerate(hidden):
        tensors[f"trunk.{i}.weight"], tensors[f"trunk.{i}.bias"] = random.normal(size=(width, h)), np.zeros(h)
        width = h
    if memory:
        tensors["memory.weight"] = random.normal(size=(width, 2 * width))
        tensors["memory.bias"] = np.zeros(2 * width)
    tensors["head.weight"] = random.normal(size=(width, out + 1))
    tensors["head.bias"] = random.normal(size=out + 1)
    observation = [
        {"name": p.name, "kind": "vector", "size": p.size}
        if p.kind == "vector"
        else {"name": p.name, "kind": "grid", "channels": p.channels, "height": p.height, "width": p.width}
        for p in spec.observation
    ]
    action = [{"name": p.name, "kind": "discrete", "size": p.size} for p in spec.action]
    about = {"format": 1, "game": spec.name, "hidden": list(hidden), "memory": memory, "grid": "flat", "entity": 64}
    metadata = {"rival": json.dumps(about), "parts": json.dumps({"observation": observation, "action": action})}
    write(path, tensors, metadata)
    return tensors, metadata
