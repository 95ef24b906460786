"""Checks deploy/ against the schemas of Kubernetes, and against the program: the options, ports and paths that it names
are those of `rival serve`, and the metrics are among those of a server.

    deploy.py PROGRAM REPOSITORY CHECK

The schemas are those of the Python package kubernetes-validate. It has none for the kinds of Agones, KServe and the
operator of Prometheus: of those the pods that they hold are checked as pods. Exits with 77 where what it needs is missing.
"""
import copy
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

try:
    import kubernetes_validate
    import yaml
except ImportError as error:
    print(f"skipped: {error}; `make test` installs the Python package kubernetes-validate, given a network")
    sys.exit(77)

PROGRAM, REPOSITORY = (os.path.abspath(path) for path in sys.argv[1:3])
DEPLOY = os.path.join(REPOSITORY, "deploy")
FOREIGN = {"Fleet", "ServingRuntime", "InferenceService", "PodMonitor"}
VERSIONS = ("1.29", "1.33")  # an old and a late one
TOKEN = "a-secret-of-some-length"


def documents(name):
    with open(os.path.join(DEPLOY, name)) as file:
        return list(yaml.safe_load_all(file))


def one(name, kind):
    (found,) = [document for document in documents(name) if document["kind"] == kind]
    return found


def all_documents():
    paths = sorted(glob.glob(os.path.join(DEPLOY, "*", "*.yaml")))
    names = [os.path.relpath(path, DEPLOY) for path in paths]
    return [(name, document) for name in names for document in documents(name)]


def pods():
    """(place, spec of the pod) of all that make pods."""
    found = []
    for name, document in all_documents():
        kind, spec = document.get("kind"), document.get("spec", {})
        if kind == "Deployment":
            found.append((name, spec["template"]["spec"]))
        elif kind == "Fleet":
            found.append((name, spec["template"]["spec"]["template"]["spec"]))
        elif kind == "ServingRuntime":
            found.append((name, {key: spec[key] for key in ("containers", "volumes")}))
    assert len(found) == 3, found
    return found


def servers():
    """(place, spec of the pod, its container that runs `rival serve`)."""
    for name, pod in pods():
        (container,) = [c for c in pod["containers"] if c["image"].split("/")[-1].startswith("rival:")]
        yield name, pod, container


def options(container):
    """The options that a container gives, by name, and the bots."""
    words, found, bots = list(container["args"]), {}, []
    assert words.pop(0) == "serve"
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            bots.append(word)
        elif "=" in word:
            found.update([word.split("=", 1)])
        else:
            found[word] = words.pop(0)
    return found, bots


def validate(document, version):
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        return f"{error.message} at {list(error.path)}"
    return ""


def as_pod(spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}


def check_schemas():
    kinds = set()
    for version in VERSIONS:
        for name, document in all_documents():
            if "kind" not in document:
                assert name == "kubernetes/prometheus-adapter.yaml", name
                continue
            kinds.add(document["kind"])
            if document["kind"] not in FOREIGN:
                assert not validate(document, version), (version, name, validate(document, version))
        for name, spec in pods():
            assert not validate(as_pod(spec), version), (version, name, validate(as_pod(spec), version))
    assert kinds > FOREIGN and len(kinds - FOREIGN) >= 5, kinds

    # The checker finds what is wrong: names of fields, types, what is missing.
    good = one("kubernetes/bot-server.yaml", "Deployment")
    for spoil in (
        lambda d: d["spec"].update(replica=2),
        lambda d: d["spec"]["template"]["spec"].update(terminationGracePeriodSeconds="75s"),
        lambda d: d["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["httpGet"].pop("port"),
        lambda d: d["spec"]["template"]["spec"]["containers"][0]["securityContext"].update(readOnlyRoot=True),
    ):
        bad = copy.deepcopy(good)
        spoil(bad)
        assert validate(bad, VERSIONS[0]), bad


def check_options():
    said = subprocess.run([PROGRAM, "serve", "--help"], stdout=subprocess.PIPE, check=True).stdout.decode()
    known = set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", said, re.M))
    assert {"--config", "--port", "--drain-seconds"} <= known, known
    for name, pod, container in servers():
        given, bots = options(container)
        assert set(given) <= known, (name, set(given) - known)
        assert bots or "--config" in given, name
        mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
        places = [bot.split("=", 1)[1] for bot in bots] + [given.get(key, "/") for key in ("--token-file", "--config")]
        for place in places:  # KServe mounts the last itself
            assert place == "/" or any(place.startswith(m + "/") for m in mounts) or place == "/mnt/models", (name, place)
        sources = {volume["name"] for volume in pod["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} == sources, name


def settings(container):
    """The port, the host and the seconds to drain that a container's server has."""
    given, _ = options(container)
    if "--config" in given:
        config = one("kubernetes/bot-server.yaml", "ConfigMap")["data"][os.path.basename(given["--config"])]
        given = {"--" + key.replace("_", "-"): value for key, value in re.findall(r'^(\w+) = "?([^"\n]*)"?$', config, re.M)}
    return int(given["--port"]), given.get("--host", "127.0.0.1"), float(given["--drain-seconds"])


def check_ports_and_times():
    (default,) = re.findall(r"EXPOSE (\d+)", open(os.path.join(DEPLOY, "Containerfile")).read())
    for name, pod, container in servers():
        port, host, drain = settings(container)
        assert port == int(default), name
        named = {p["name"]: p["containerPort"] for p in container.get("ports", [])}
        assert all(value == port for value in named.values()), (name, named)
        probes = [container[key] for key in container if key.endswith("Probe")]
        for probe in probes:
            assert named.get(probe["httpGet"]["port"], probe["httpGet"]["port"]) == port, (name, probe)
        # Who asks from outside of the pod cannot reach its loopback.
        assert bool(probes) == (host == "0.0.0.0"), (name, host)
        pause = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["", "0"])
        grace = pod.get("terminationGracePeriodSeconds", 30)
        assert grace > float(pause[1]) + drain + 2, (name, grace, pause, drain)
        context = {**pod.get("securityContext", {}), **container["securityContext"]}
        assert context["runAsNonRoot"] and context["readOnlyRootFilesystem"], name
        assert context["capabilities"] == {"drop": ["ALL"]} and not context["allowPrivilegeEscalation"], name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert "memory" in container["resources"]["limits"] and "cpu" in container["resources"]["requests"], name
    service = one("kubernetes/bot-server.yaml", "Service")["spec"]
    deployment = one("kubernetes/bot-server.yaml", "Deployment")["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    monitor = one("kubernetes/autoscaling.yaml", "PodMonitor")["spec"]
    budget = one("kubernetes/bot-server.yaml", "PodDisruptionBudget")["spec"]
    for selector in (service["selector"], *(x["selector"]["matchLabels"] for x in (deployment, monitor, budget))):
        assert selector.items() <= labels.items(), selector
    assert service["ports"][0]["port"] == int(default)
    scaled = one("kubernetes/autoscaling.yaml", "HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (scaled["kind"], scaled["name"]) == ("Deployment", "rival")
    assert "replicas" not in deployment, "a new version of the file would undo what the autoscaler did"
    fleet = one("agones/fleet.yaml", "Fleet")["spec"]["template"]["spec"]
    names = [c["name"] for c in fleet["template"]["spec"]["containers"]]
    assert fleet["container"] in names and len(names) == 2, names
    assert f"http://127.0.0.1:{default}" in json.dumps(fleet), "where the game server finds the bots"
    service = one("kserve/serving-runtime.yaml", "InferenceService")["spec"]["predictor"]["model"]
    runtime = one("kserve/serving-runtime.yaml", "ServingRuntime")
    assert service["runtime"] == runtime["metadata"]["name"]
    assert service["modelFormat"]["name"] in [f["name"] for f in runtime["spec"]["supportedModelFormats"]]


def get(port, path, token=""):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def check_running():
    """The configuration of the ConfigMap runs, with other places; its probes and metrics are answered."""
    with tempfile.TemporaryDirectory() as folder:
        run = os.path.join(folder, "bots", "demo")
        train = [PROGRAM, "train", "tic_tac_toe", "--steps", "2000", "--hidden", "8", "--out", run]
        subprocess.run(train, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(os.path.join(folder, "token"), "w") as file:
            file.write(TOKEN + "\n")
        config = one("kubernetes/bot-server.yaml", "ConfigMap")["data"]["serve.toml"]
        for place, other in (("/run/secrets/rival/token", "token"), ("/bots/", "bots/"), ("0.0.0.0", "127.0.0.1")):
            assert place in config, place
            config = config.replace(place, other)
        with open(os.path.join(folder, "serve.toml"), "w") as file:
            file.write(config)
        words = [PROGRAM, "serve", "--config", os.path.join(folder, "serve.toml"), "--port", "0"]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            said = ""
            for line in process.stdout:
                said += line.decode()
                if line.startswith(b"Listening on "):
                    break
            listening = re.search(r"http://127\.0\.0\.1:(\d+)/", said)
            assert listening, said
            port = int(listening[1])
            for name, _, container in servers():
                for key in container:
                    if key.endswith("Probe"):
                        assert get(port, container[key]["httpGet"]["path"])[0] == 200, (name, key)
            (endpoint,) = one("kubernetes/autoscaling.yaml", "PodMonitor")["spec"]["podMetricsEndpoints"]
            assert get(port, endpoint["path"])[0] == 401, "it needs the token"
            play = ["bench", "serve", "demo", "--url", listening[0], "--token-file", os.path.join(folder, "token")]
            few = ["--sessions", "5", "--rate", "10", "--seconds", "0.1"]
            subprocess.run([PROGRAM, *play, *few], check=True, stdout=subprocess.DEVNULL)
            status, metrics = get(port, endpoint["path"], TOKEN)
            assert status == 200
            (rule,) = documents("kubernetes/prometheus-adapter.yaml")[0]["rules"]["custom"]
            (counter,) = re.findall(r"^(\w+)\{", rule["seriesQuery"])
            assert re.search(f"^# TYPE {counter} counter$", metrics, re.M), metrics
            assert re.search(rule["name"]["matches"], counter)
            autoscaler = one("kubernetes/autoscaling.yaml", "HorizontalPodAutoscaler")["spec"]
            scaled = [m["pods"]["metric"]["name"] for m in autoscaler["metrics"] if m["type"] == "Pods"]
            assert scaled == [rule["name"]["as"]], scaled
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.communicate()


def check_image():
    """Without building it: what is copied is there, what the program links with is installed."""
    text = open(os.path.join(DEPLOY, "Containerfile")).read().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    first, second = (i for i, line in enumerate(lines) if line.startswith("FROM debian:12-slim"))
    assert first == 0
    for line in lines:
        word, rest = line.split(" ", 1)
        if word == "COPY" and "--from" not in rest:
            assert os.path.exists(os.path.join(REPOSITORY, rest.split()[0])), line
    assert "COPY --from=build /usr/local/bin/rival /usr/local/bin/rival" in lines[second:]
    assert [line for line in lines[second:] if re.fullmatch(r"USER [1-9]\d*:[1-9]\d*", line)], "not root"
    (user,) = re.findall(r"^USER (\d+):", text, re.M)
    for name, pod, container in servers():
        context = {**pod.get("securityContext", {}), **container["securityContext"]}
        assert context["runAsUser"] == int(user), name
    command = json.loads(lines[-1][len("CMD ") :])
    (config,) = [options(c)[0]["--config"] for _, _, c in servers() if "--config" in options(c)[0]]
    assert command == ["serve", "--config", config], command
    if not shutil.which("dpkg-query") or not shutil.which("ldd"):
        print("skipped: what packages the program links with, which takes a Debian system")
        sys.exit(77)
    linked = subprocess.run(["ldd", PROGRAM], stdout=subprocess.PIPE, check=True).stdout.decode()
    assert "not found" not in linked, linked
    installed = set(" ".join(lines[second:]).split())
    needed = set()
    for path in re.findall(r"=> (/\S+)", linked):
        for name in (path, os.path.realpath(path)):
            asked = subprocess.run(["dpkg-query", "-S", name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            if asked.returncode == 0:
                needed.add(asked.stdout.decode().split(":")[0])
    needed -= {"libc6", "libgcc-s1", "zlib1g"}  # of every Debian
    if "libssl3" not in needed or any(re.match(r"lib(a|t|ub)san\d", name) for name in needed):
        print("skipped: the program links with other packages than that of the image: another Debian's, or sanitizers")
        sys.exit(77)
    assert needed <= installed, needed - installed


CHECKS = {
    "schemas": check_schemas,
    "options": check_options,
    "ports": check_ports_and_times,
    "running": check_running,
    "image": check_image,
}
CHECKS[sys.argv[3]]()
