"""Clients of other inference servers, unchanged, with bots of `rival serve`: Triton's, KServe's as it is recorded, curl."""
import http.client
import json
import os
import queue
import shutil
import subprocess
import unittest
from urllib.parse import urlsplit

import helpers
import numpy as np
from test_server import Case, make_certificate, start

import rival


class Served(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        address, _ = start(cls, "c4=" + cls.path, os.path.join(cls.folder, "recalls.safetensors"))
        cls.address = address.rstrip("/")


class Triton(Served):
    @classmethod
    def setUpClass(cls):
        helpers.need("tritonclient.http")
        super().setUpClass()

    def setUp(self):
        import tritonclient.http as triton

        self.triton = triton
        self.client = triton.InferenceServerClient(urlsplit(self.address).netloc)
        self.addCleanup(self.client.close)

    def inputs(self, observations, masks=None, binary=True):
        tensors = [("observation", "FP32", observations.astype(np.float32))]
        if masks is not None:
            tensors.append(("mask", "BOOL", masks.astype(bool)))
        made = []
        for name, datatype, data in tensors:
            made.append(self.triton.InferInput(name, list(data.shape), datatype))
            made[-1].set_data_from_numpy(data, binary_data=binary)
        return made

    def test_what_is_served(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("c4"))
        self.assertFalse(self.client.is_model_ready("c5"))
        self.assertIn("sequence", self.client.get_server_metadata()["extensions"])
        model = self.client.get_model_metadata("c4")
        self.assertEqual(model["inputs"][0]["shape"], [-1, self.bot.observation_size])
        self.assertTrue(self.client.is_model_ready("c4", model["versions"][0]))
        index = self.client.get_model_repository_index()
        self.assertEqual([one["name"] for one in index], ["c4", "recalls"])

    def test_it_infers_as_the_bot_does(self):
        p = self.bot.probabilities(self.observations, self.masks)
        wanted = p.argmax(axis=1)
        for binary in (True, False):
            inputs = self.inputs(self.observations, self.masks, binary)
            choices = self.client.infer("c4", inputs).as_numpy("choices")
            self.assertEqual((choices.dtype, choices.shape), (np.int32, (200, 1)))
            best = np.take_along_axis(p, choices.astype(np.int64), axis=1)[:, 0]
            np.testing.assert_allclose(best, p[np.arange(200), wanted], atol=1e-5)
            self.assertGreater(len(np.unique(choices)), 1)
            names = ("value", "probabilities")
            outputs = [self.triton.InferRequestedOutput(name, binary_data=binary) for name in names]
            result = self.client.infer("c4", inputs, outputs=outputs, request_id="7")
            self.assertEqual(result.get_response()["id"], "7")
            self.assertIsNone(result.as_numpy("choices"))
            np.testing.assert_allclose(result.as_numpy("probabilities"), p, atol=1e-4)
            value = self.bot.value(self.observations)
            np.testing.assert_allclose(result.as_numpy("value")[:, 0], value, atol=1e-4)
        free = self.client.infer("c4", self.inputs(self.observations)).as_numpy("choices")
        np.testing.assert_array_equal(free, self.bot.act_rows(self.observations, None, temperature=0)[0])

    def test_many_rows_and_many_requests(self):
        rows = np.tile(self.observations, (20, 1))
        choices = self.client.infer("c4", self.inputs(rows)).as_numpy("choices")
        self.assertEqual(choices.shape, (4000, 1))
        np.testing.assert_array_equal(choices[:200], choices[-200:])
        client = self.triton.InferenceServerClient(urlsplit(self.address).netloc, concurrency=4)
        self.addCleanup(client.close)
        asked = [client.async_infer("c4", self.inputs(rows[i : i + 1])) for i in range(40)]
        played = np.concatenate([one.get_result().as_numpy("choices") for one in asked])
        self.assertGreater((played == choices[:40]).mean(), 0.9)  # but for choices that are as good

    def test_sequences_remember(self):
        bot = rival.Bot.load(os.path.join(self.folder, "recalls.safetensors"))
        for sequence in (42, "a match"):
            memory = bot.start(200)
            for step in range(4):
                p = bot.probabilities(self.observations, self.masks, memory.copy())
                bot.act_rows(self.observations, self.masks, memory, temperature=0)
                result = self.client.infer(
                    "recalls",
                    self.inputs(self.observations, self.masks),
                    outputs=[self.triton.InferRequestedOutput("probabilities")],
                    sequence_id=sequence,
                    sequence_start=step == 0,
                    sequence_end=step == 3,
                )
                np.testing.assert_allclose(result.as_numpy("probabilities"), p, atol=1e-4)
            fresh = bot.probabilities(self.observations, self.masks, bot.start(200))
            self.assertGreater(np.abs(fresh - p).max(), 1e-3)  # what is remembered makes a difference
            with self.assertRaisesRegex(self.triton.InferenceServerException, "needs 'sequence_start'"):
                self.client.infer("recalls", self.inputs(self.observations), sequence_id=sequence)

    def test_what_is_amiss_is_named(self):
        inputs = self.inputs(self.observations[:2])
        for call, message in (
            (lambda: self.client.infer("c5", inputs), "unknown bot 'c5'"),
            (lambda: self.client.infer("c4", inputs, model_version="2"), "'c4' is served in version"),
            (lambda: self.client.infer("c4", self.inputs(self.observations[:2, :9])), r"has the shape \[2, 9\]"),
            (lambda: self.client.infer("c4", self.inputs(self.observations[:2] * np.nan)), "row 0: observation"),
            (lambda: self.client.infer("c4", inputs, request_compression_algorithm="gzip"), "not compressed"),
            (lambda: self.client.load_model("c4"), "named when the server is started"),
        ):
            with self.subTest(message), self.assertRaisesRegex(self.triton.InferenceServerException, message):
                call()


class TritonOverGrpc(Case):
    """The same bots through the plug-in of gRPC."""

    @classmethod
    def setUpClass(cls):
        helpers.need("tritonclient.grpc")
        if not os.path.exists(os.path.join(os.path.dirname(os.environ["RIVAL_PROGRAM"]), "plugins", "rival-grpc.so")):
            raise unittest.SkipTest("the plug-in of gRPC is not built, which takes libgrpc++-dev")
        super().setUpClass()
        recalls = os.path.join(cls.folder, "recalls.safetensors")
        _, process = start(cls, "c4=" + cls.path, recalls, "--grpc-port", "0")
        cls.netloc = process.stdout.readline().decode().split()[-1]

    def setUp(self):
        import tritonclient.grpc as triton

        self.triton = triton
        self.client = triton.InferenceServerClient(self.netloc)
        self.addCleanup(self.client.close)

    def inputs(self, observations, masks):
        made = []
        for name, datatype, data in (("observation", "FP32", observations), ("mask", "BOOL", masks)):
            made.append(self.triton.InferInput(name, list(data.shape), datatype))
            made[-1].set_data_from_numpy(data.astype(np.float32 if datatype == "FP32" else bool))
        return made

    def test_what_is_served(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("c4"))
        self.assertEqual(self.client.get_server_metadata().name, "rival")
        model = self.client.get_model_metadata("c4", as_json=True)
        self.assertEqual(model["inputs"][0]["shape"], ["-1", str(self.bot.observation_size)])
        index = self.client.get_model_repository_index()
        self.assertEqual([one.name for one in index.models], ["c4", "recalls"])

    def test_it_infers_as_the_bot_does(self):
        p = self.bot.probabilities(self.observations, self.masks)
        inputs = self.inputs(self.observations, self.masks)
        outputs = [self.triton.InferRequestedOutput(name) for name in ("choices", "probabilities")]
        result = self.client.infer("c4", inputs, outputs=outputs, request_id="7")
        self.assertEqual(result.get_response().id, "7")
        np.testing.assert_allclose(result.as_numpy("probabilities"), p, atol=1e-4)
        choices = result.as_numpy("choices")
        best = np.take_along_axis(p, choices.astype(np.int64), axis=1)[:, 0]
        np.testing.assert_allclose(best, p.max(axis=1), atol=1e-5)
        with self.assertRaisesRegex(self.triton.InferenceServerException, "unknown bot 'c5'"):
            self.client.infer("c5", inputs)

    def test_sequences_remember_one_by_one_and_in_a_stream(self):
        bot = rival.Bot.load(os.path.join(self.folder, "recalls.safetensors"))
        inputs = self.inputs(self.observations, self.masks)
        outputs = [self.triton.InferRequestedOutput("probabilities")]
        answers = queue.Queue()
        self.client.start_stream(lambda result, error: answers.put((result, error)))
        for sequence, stream in ((42, False), ("a match", False), (43, True)):
            memory = bot.start(200)
            for step in range(4):
                p = bot.probabilities(self.observations, self.masks, memory.copy())
                bot.act_rows(self.observations, self.masks, memory, temperature=0)
                whose = {"sequence_id": sequence, "sequence_start": step == 0, "sequence_end": step == 3}
                if stream:
                    self.client.async_stream_infer("recalls", inputs, outputs=outputs, **whose)
                    result, error = answers.get(timeout=20)
                    self.assertIsNone(error)
                else:
                    result = self.client.infer("recalls", inputs, outputs=outputs, **whose)
                np.testing.assert_allclose(result.as_numpy("probabilities"), p, atol=1e-4)
        self.client.stop_stream()

    def test_with_a_token_over_tls(self):
        certificate, key = make_certificate(self.folder, "DNS:localhost")
        token = os.path.join(self.folder, "token")
        with open(token, "w") as file:
            file.write("a token that is long\n")
        _, process = start(
            self, self.path, "--grpc-port", "0", "--token-file", token, "--tls-certificate", certificate, "--tls-key", key
        )
        said = process.stdout.readline().decode()
        self.assertIn("with TLS", said)
        netloc = "localhost:" + said.split(":")[-1].strip()
        client = self.triton.InferenceServerClient(netloc, ssl=True, root_certificates=certificate)
        self.addCleanup(client.close)
        self.assertTrue(client.is_server_ready())
        with self.assertRaisesRegex(self.triton.InferenceServerException, "a token is needed"):
            client.get_model_repository_index()
        headers = {"authorization": "Bearer a token that is long"}
        self.assertEqual(len(client.get_model_repository_index(headers=headers).models), 1)
        stranger = self.triton.InferenceServerClient(netloc)  # without TLS
        self.addCleanup(stranger.close)
        with self.assertRaises(self.triton.InferenceServerException):
            stranger.is_server_ready(client_timeout=2)


class Others(Served):
    def ask(self, method, path, body=None, **headers):
        """(status, headers, body)"""
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=20)
        self.addCleanup(connection.close)
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def test_kserve(self):
        """The requests that InferenceRESTClient of kserve 0.21 makes, in its words."""
        choices = self.bot.act_rows(self.observations[:2], self.masks[:2], temperature=0)[0].tolist()
        self.assertTrue(json.loads(self.ask("GET", "/v1/models/c4")[2])["ready"])
        rows = self.observations[:2].tolist()
        instances = [{"observation": row, "mask": mask} for row, mask in zip(rows, self.masks[:2].tolist())]
        status, _, body = self.ask("POST", "/v1/models/c4:predict", json.dumps({"instances": instances}))
        self.assertEqual((status, [one["choices"] for one in json.loads(body)["predictions"]]), (200, choices))
        self.assertTrue(json.loads(self.ask("GET", "/v2/health/live")[2])["live"])
        self.assertTrue(json.loads(self.ask("GET", "/v2/health/ready")[2])["ready"])
        self.assertEqual(self.ask("GET", "/v2/models/c4/ready")[0], 200)
        request = {"id": "4be4e82f-5500-420a-a5c5-ac86841e271b", "inputs": [], "parameters": {}}
        data = b""
        for name, datatype, array in (("observation", "FP32", self.observations), ("mask", "BOOL", self.masks)):
            raw = array[:2].astype(np.float32 if datatype == "FP32" else bool).tobytes()
            parameters = {"binary_data_size": len(raw)}
            shape = [2, array.shape[1]]
            request["inputs"].append({"name": name, "shape": shape, "datatype": datatype, "parameters": parameters})
            data += raw
        text = json.dumps(request).encode()
        status, _, body = self.ask(
            "POST",
            "/v2/models/c4/infer",
            text + data,
            inference_header_content_length=str(len(text)),
            content_type="application/octet-stream",
        )
        answer = json.loads(body)
        self.assertEqual((status, answer["id"], answer["model_name"]), (200, request["id"], "c4"))
        self.assertEqual(np.reshape(answer["outputs"][0]["data"], answer["outputs"][0]["shape"]).tolist(), choices)

    def test_curl_as_torchserve_documents_it(self):
        if not shutil.which("curl"):
            raise unittest.SkipTest("there is no curl; install it with apt-get")
        rows = os.path.join(self.folder, "rows.json")
        with open(rows, "w") as out:
            json.dump({"observation": self.observations[:2].tolist(), "mask": self.masks[:2].tolist()}, out)
        instances = os.path.join(self.folder, "instances.json")
        with open(instances, "w") as out:
            json.dump({"instances": self.observations[:2].tolist()}, out)
        model = json.loads(self.ask("GET", "/models/c4")[2])[0]

        def curl(*arguments):
            done = subprocess.run(["curl", "-sS", *arguments], stdout=subprocess.PIPE, check=True, timeout=30)
            return json.loads(done.stdout)

        self.assertEqual(curl(self.address + "/ping"), {"status": "Healthy"})
        choices = self.bot.act_rows(self.observations[:2], self.masks[:2], temperature=0)[0].tolist()
        prediction = self.address + "/predictions/c4"
        for arguments in (
            [prediction, "-T", rows],
            [prediction + "/" + model["modelVersion"], "-T", rows],
            [prediction, "-F", "data=@" + rows],
            ["-X", "POST", prediction, "-d", "@" + rows],
            ["-X", "POST", prediction, "--data-urlencode", "data@" + rows],
        ):
            with self.subTest(arguments[1:]):
                self.assertEqual([one["choices"] for one in curl(*arguments)], choices)
        predicted = curl(
            "-H", "Content-Type: application/json", "--data", "@" + instances, self.address + "/v1/models/c4:predict"
        )
        self.assertEqual(len(predicted["predictions"]), 2)
        self.assertEqual([one["modelName"] for one in curl(self.address + "/models")["models"]], ["c4", "recalls"])
        self.assertEqual(curl(self.address + "/models/c4/all"), [model])
        error = curl("-X", "POST", self.address + "/models?url=https://torchserve.pytorch.org/mar_files/mnist.mar")
        self.assertEqual((error["code"], error["type"]), (405, "MethodNotAllowedException"))
        self.assertIn(".mar", error["message"])


if __name__ == "__main__":
    unittest.main()
