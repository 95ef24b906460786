#!/usr/bin/env python3
"""Rival beside TorchServe, on one machine: the same TorchScript, the same requests, the same load.

    python3 bench/torchserve.py ENVIRONMENT [--rival build/rival] [--seconds 5] [--rounds 3]

ENVIRONMENT is a virtual environment with torch, torchserve and torch-model-archiver; TorchServe also wants Java 17, and
the load wrk. Answers are compared field by field; those that differ on purpose are named with the reason, and any
other difference is a failure. Then each server in turn is put under load: 8 connections that are kept open.
"""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

MODEL = """
import sys, torch
torch.manual_seed(1)
linear, relu = torch.nn.Linear, torch.nn.ReLU
layers = torch.nn.Sequential(linear(84, 128), relu(), linear(128, 128), relu(), linear(128, 7)).eval()
torch.jit.trace(layers, torch.zeros(1, 84)).save(sys.argv[1])
"""
CONFIG = """
inference_address=http://127.0.0.1:18080
management_address=http://127.0.0.1:18081
metrics_address=http://127.0.0.1:18082
grpc_inference_port=17070
grpc_management_port=17071
service_envelope=body
enable_model_api=true
metrics_mode=prometheus
default_workers_per_model=1
"""
THEIRS = {"ask": 18080, "manage": 18081, "metrics": 18082}
OURS = 18765
TOKEN = "a token of the bench"
ROW = json.dumps([0.5] * 84)
ROWS = json.dumps([[0.5] * 84, [0.25] * 84])

# What differs on purpose: the field, and why.
UNLIKE = {
    "runtime": "what computes",
    "memoryUsage": "workers are threads of one process",
    "pid": "workers are threads of one process",
    "startTime": "another moment",
    "id": "numbers of workers",
    # options of TorchServe that there are not here
    **dict.fromkeys(["startupTimeout", "maxRetryTimeoutInSec", "clientTimeoutInMills", "parallelType", "parallelLevel",
                     "continuousBatching", "useJobTicket", "useVenv", "stateful", "sequenceMaxIdleMSec",
                     "sequenceTimeoutMSec", "maxNumSequence", "maxSequenceJobQueueSize"], "absent here"),
}
# Requests: to which port of TorchServe, method, path, body, and why the answers may differ as a whole.
REQUESTS = [
    ("ask", "GET", "/ping", None, ""),
    ("ask", "POST", "/predictions/mlp", ROW, ""),
    ("ask", "POST", "/predictions/mlp/1.0", ROW, ""),
    ("ask", "POST", "/predictions/mlp", ROWS, ""),
    ("ask", "PUT", "/predictions/mlp", ROW, ""),
    ("ask", "POST", "/predictions/none", ROW, ""),
    ("ask", "POST", "/predictions/mlp/3.0", ROW, ""),
    ("ask", "POST", "/predictions/mlp", "[0.5]", "what the model says: 500; there 503, 'Prediction failed'"),
    ("ask", "POST", "/predictions/mlp", "[0.5", "what is amiss in the body: 400; there 503, 'Prediction failed'"),
    ("ask", "POST", "/v1/models/mlp:predict", '{"instances": %s}' % ROWS,
     "works; there only with service_envelope=kserve, and not /predictions then"),
    ("manage", "GET", "/models", None, ""),
    ("manage", "GET", "/models/mlp", None, ""),
    ("manage", "GET", "/models/mlp/all", None, ""),
    ("manage", "GET", "/models/mlp/3.0", None, ""),
    ("manage", "GET", "/models/none", None, ""),
    ("manage", "POST", "/models?url=mlp.mar", None, ""),
    ("manage", "POST", "/models", None, ""),
    ("manage", "POST", "/models?url=none.mar", None, ""),
    ("manage", "POST", "/models?url=../mlp.mar", None, ""),
    ("manage", "POST", "/models?url=python.mar&model_name=python&initial_workers=1", None,
     "refused with the handler's name; there it runs"),
    ("manage", "POST", "/models?url=mlp.mar&model_name=idle&initial_workers=0", None, ""),
    ("ask", "POST", "/predictions/idle", ROW, "503 in other words"),
    ("manage", "PUT", "/models/idle?min_worker=1&synchronous=true", None, ""),
    ("ask", "POST", "/predictions/idle", ROW, ""),
    ("manage", "PUT", "/models/idle?min_worker=2", None, ""),
    ("manage", "PUT", "/models/idle?min_worker=2&max_worker=1", None, ""),
    ("manage", "PUT", "/models/none?min_worker=1", None, ""),
    ("manage", "POST", "/models?url=mlp2.mar&initial_workers=1&batch_size=4&max_batch_delay=5&response_timeout=60", None,
     ""),
    ("manage", "GET", "/models/mlp/2.0", None, "loadedAtStartup is of the version; there of the name"),
    ("manage", "DELETE", "/models/mlp/1.0", None, ""),
    ("manage", "PUT", "/models/mlp/2.0/set-default", None, ""),
    ("manage", "PUT", "/models/mlp/9.0/set-default", None, ""),
    ("ask", "POST", "/predictions/mlp", ROW, ""),
    ("manage", "DELETE", "/models/mlp/1.0", None, ""),
    ("manage", "DELETE", "/models/mlp/9.0", None, ""),
    ("manage", "DELETE", "/models/idle", None, ""),
    ("manage", "DELETE", "/models/idle", None, ""),
    ("manage", "PATCH", "/models", None, "405 in other words"),
]


def ask(port, method, path, body, token=""):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method,
                                     data=body.encode() if body is not None else None)
    if body is not None:
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status, text, head = answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        status, text, head = error.code, error.read().decode(), error.headers
    try:
        said = json.loads(text)
    except ValueError:
        said = text
    return status, said, "x-request-id" in head


def differences(theirs, ours, place=""):
    """The paths at which two answers differ."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return [one for key in {**theirs, **ours} for one in
                ([] if key in UNLIKE else
                 [f"{place}.{key}: only one has it"] if (key in theirs) != (key in ours) else
                 differences(theirs[key], ours[key], f"{place}.{key}"))]
    if isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        return [one for i, pair in enumerate(zip(theirs, ours)) for one in differences(*pair, f"{place}[{i}]")]
    if isinstance(theirs, float) and isinstance(ours, float):
        return [] if abs(theirs - ours) < 1e-5 else [f"{place}: {theirs} {ours}"]
    return [] if theirs == ours else [f"{place}: {theirs!r} {ours!r}"]


def compare():
    failed = on_purpose = 0
    for port, method, path, body, why in REQUESTS:
        theirs, ours = ask(THEIRS[port], method, path, body), ask(OURS, method, path, body,
                                                                  TOKEN if port == "manage" else "")
        found = differences(list(theirs), list(ours))
        if found and why:
            on_purpose += 1
            print(f"on purpose  {method} {path[:70]}: {why}")
        elif found:
            failed += 1
            print(f"DIFFERS     {method} {path[:70]}: {'; '.join(found)}")
        else:
            print(f"same        {method} {path[:70]}: {ours[0]}")
    metrics = [set(re.findall(r"^(ts_\w+|Requests\wXX)\{", ask(port, "GET", "/metrics", None)[1], re.M))
               for port in (THEIRS["metrics"], OURS)]
    missing = {name for name in metrics[0] if name.startswith(("ts_", "Requests"))} - metrics[1]
    if missing:
        failed += 1
        print("DIFFERS     metrics:", ", ".join(sorted(missing)))
    print(f"{len(REQUESTS) - failed - on_purpose} same, {on_purpose} different on purpose, {failed} different")
    return failed == 0


def load(port, folder, seconds):
    script = os.path.join(folder, "post.lua")
    with open(script, "w", encoding="ascii") as file:
        file.write('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = "%s"\n' % ROW)
    said = subprocess.run(["wrk", "-t1", "-c8", f"-d{seconds}s", "--latency", "-s", script,
                           f"http://127.0.0.1:{port}/predictions/mlp"], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said:
        sys.exit(said)

    def milliseconds(share):
        number, unit = re.search(share + r"%\s+([\d.]+)(us|ms|s)", said).groups()
        return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]

    return float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1)), milliseconds("50"), milliseconds("99")


def until_ready(port):
    for _ in range(600):
        try:
            if ask(port, "POST", "/predictions/mlp", ROW)[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.2)
    sys.exit(f"nothing answers predictions at port {port}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("environment")
    parser.add_argument("--rival", default="build/rival")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="1", help="workers of the model, at both")
    options = parser.parse_args()
    programs = os.path.join(os.path.abspath(options.environment), "bin")
    environment = {**os.environ, "PATH": programs + ":" + os.environ["PATH"]}
    with tempfile.TemporaryDirectory() as folder:
        store = os.path.join(folder, "store")
        os.mkdir(store)
        model = os.path.join(folder, "mlp.pt")
        subprocess.run([programs + "/python", "-c", MODEL, model], check=True, env=environment)
        handler = os.path.join(folder, "mine.py")
        with open(handler, "w", encoding="ascii") as file:
            file.write("from ts.torch_handler.base_handler import BaseHandler\n\n\nclass Mine(BaseHandler):\n    pass\n")
        for name, called, version, how in (("mlp", "mlp", "1.0", "base_handler"), ("mlp2", "mlp", "2.0", "base_handler"),
                                           ("python", "python", "1.0", handler)):
            subprocess.run(["torch-model-archiver", "--model-name", called, "--version", version, "--serialized-file",
                            model, "--handler", how, "--export-path", folder, "-f"], check=True, env=environment,
                           capture_output=True)
            os.rename(f"{folder}/{called}.mar", f"{store}/{name}.mar")
        for name, text in (("config.properties", CONFIG.replace("per_model=1", "per_model=" + options.threads)),
                           ("token", TOKEN)):
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.write(text)
        log = open(os.path.join(folder, "log"), "w", encoding="utf-8")
        servers = [
            subprocess.Popen(["torchserve", "--foreground", "--ncs", "--disable-token-auth", "--model-store", store,
                              "--models", "mlp=mlp.mar", "--ts-config", f"{folder}/config.properties"], cwd=folder,
                             env={**environment, "TEMP": folder}, stdout=log, stderr=log, start_new_session=True),
            subprocess.Popen([options.rival, "serve", "--model", f"{store}/mlp.mar", "--port", str(OURS),
                              "--model-threads", options.threads, "--model-store", store, "--management-token-file",
                              f"{folder}/token"], stdout=log, stderr=log, start_new_session=True)]
        try:
            until_ready(OURS)
            until_ready(THEIRS["ask"])
            for round_ in range(options.rounds):
                for name, port in (("rival", OURS), ("torchserve", THEIRS["ask"])):
                    load(port, folder, 2)  # to be warm
                    rate, p50, p99 = load(port, folder, options.seconds)
                    print(f"{name:10} {rate:8.0f} requests/s, p50 {p50:.2f} ms, p99 {p99:.2f} ms")
            sound = compare()
        finally:
            for server in servers:
                os.killpg(server.pid, signal.SIGTERM)
            for server in servers:
                server.wait()
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
