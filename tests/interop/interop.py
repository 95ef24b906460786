#!/usr/bin/env python3
"""Whether other programs read Rival's files, and Rival theirs.

  interop.py PROGRAM CHECK    CHECK: safetensors, tensorboard, onnx or toml; PROGRAM: interop_samples

Needs the Python packages that the check is about (scripts/install-python); exits with 77, which ctest reports as skipped,
where they are absent.
"""
import glob
import importlib
import os
import subprocess
import sys
import tempfile


def need(*names):
    modules = []
    for name in names:
        try:
            modules.append(importlib.import_module(name))
        except ImportError:
            print(f"skipped: the Python package {name.split('.')[0]} is missing; `make test` installs it, given a network")
            sys.exit(77)
    return modules


def check_safetensors(program, folder):
    np, st = need("numpy", "safetensors.numpy")
    from safetensors import safe_open

    with safe_open(f"{folder}/tensors.safetensors", framework="numpy") as file:
        assert file.metadata() == {"rival": '{"hidden":[64,64],"name":"ä"}'}, file.metadata()
        assert sorted(file.keys()) == ["empty", "scalar", "weight"]
        np.testing.assert_array_equal(file.get_tensor("weight"), np.array([[1, -2.5, 3], [4, 5, 6]], np.float32))
        assert file.get_tensor("empty").shape == (0, 5)
        assert file.get_tensor("scalar") == 7

    theirs = f"{folder}/theirs.safetensors"
    st.save_file({"w": np.array([[1, 2], [3, 4.5]], np.float32), "half": np.zeros(3, np.float16),
                  "steps": np.array([7], np.int64)}, theirs, metadata={"note": "x"})
    lines = subprocess.run([program, "--read", theirs], check=True, capture_output=True, text=True).stdout.split("\n")
    assert sorted(lines) == sorted(["w F32 2 2 1 2 3 4.5", "half F16 3", "steps I64 1", "note=x", ""]), lines


def check_tensorboard(program, folder):
    (accumulator,) = need("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(folder)
    events.Reload()
    assert events.Tags()["scalars"] == ["score/random", "loss/policy"], events.Tags()
    read = [(e.step, e.value, e.wall_time) for e in events.Scalars("score/random")]
    # The resumed run's clock had been set back to the first one's start: its time goes on from the last event's, 5.
    wanted = [(s * 1000, s + (0.5 if s > 3 else 0), 1.7e9 + s + (5 if s > 3 else 0)) for s in (1, 2, 3, 4, 5, 6)]
    assert read == wanted, read
    assert events.Scalars("loss/policy")[-1].value == -6.5


def check_onnx(program, folder):
    np, onnx, ort, st = need("numpy", "onnx", "onnxruntime", "safetensors.numpy")
    models = sorted(glob.glob(f"{folder}/*.onnx"))
    assert len(models) == 9, models
    for path in models:
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        assert {p.key: p.value for p in model.metadata_props} == {"rival": '{"game":"sample"}'}
        data = st.load_file(path.replace(".onnx", ".safetensors"))
        session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
        inputs = {name[3:]: value for name, value in data.items() if name.startswith("in.")}
        assert sorted(i.name for i in session.get_inputs()) == sorted(inputs), path
        names = [o.name for o in session.get_outputs()]
        outputs = dict(zip(names, session.run(names, inputs)))
        if "mean" in outputs:
            outputs["mean_clipped"] = np.clip(outputs.pop("mean"), data["low"], data["high"])
        wanted = {name[4:]: value for name, value in data.items() if name.startswith("out.")}
        assert sorted(outputs) == sorted(wanted), (path, sorted(outputs))
        for name, value in wanted.items():
            np.testing.assert_allclose(outputs[name], value, rtol=1e-4, atol=1e-4, err_msg=f"{path} {name}")
            assert outputs[name].shape == value.shape
        # A negative control: another observation must give other numbers.
        inputs["observation"] = inputs["observation"] + 0.1
        assert not np.allclose(session.run(["value"], inputs)[0], data["out.value"], rtol=1e-4, atol=1e-4), path
        print(f"{os.path.basename(path)}: {', '.join(sorted(wanted))} agree")


def check_toml(program, folder):
    (tomllib,) = need("tomllib")
    with open(f"{folder}/config.toml", "rb") as file:
        config = tomllib.load(file)
    assert config == {"rate": 3e-4, "huge": 1e300, "whole": 2.0, "epochs": 4, "seed": 2**62 + 1, "normalise": True,
                      "note": 'a "b" \\ \n\t\x7f ä', "league": {"hidden": [64, 32], "none": []}}, config
    assert isinstance(config["whole"], float)


def main():
    program, check = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, folder], check=True)
        globals()[f"check_{check}"](program, folder)
    print(f"{check}: agrees")


if __name__ == "__main__":
    main()
