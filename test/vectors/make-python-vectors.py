"""Makes `python-dis.json`: requests as the official Python DIS SDK signs and sends them, caught on a socket.

    python3 -m venv venv && venv/bin/pip install huaweicloud-sdk-python-dis==2.0.8
    venv/bin/python test/vectors/make-python-vectors.py > test/vectors/python-dis.json
"""

import base64
import json
import os
import sys
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

from dis_sdk_python import disclient
from dis_sdk_python.com.huaweicloud.dis.sdk.python.models import disauth

ACCESS_KEY = "VECTORACCESSKEY00001"
TEMPORARY_ACCESS_KEY = "VECTORACCESSKEY00002"
SECRET_KEY = "v3ctor/secret+key=üñ~"
SECURITY_TOKEN = "temporary.token-of_the/vector+=="
PROJECT = "0123456789abcdef0123456789abcdef"
REGION = "cn-north-1"
NOW = datetime(2026, 2, 28, 23, 59, 30)
PORT = 20004  # written into the vectors: any free port will do

caught = []


class FixedTime(datetime):
    @classmethod
    def utcnow(cls):
        return cls(*NOW.timetuple()[:6])


class Catcher(BaseHTTPRequestHandler):
    def catch(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        # A proxy is asked for the whole URL.
        target = self.path.replace("http://dis.example.com", "")
        caught.append(
            {
                "method": self.command,
                "target": target,
                "headers": headers,
                "body": base64.b64encode(body).decode(),
            }
        )
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_PUT = do_DELETE = catch

    def log_message(self, *_):
        pass


CALLS = [
    ("create", lambda c, _: c.createStream("s", 3, "BLOB", "COMMON")),
    ("list", lambda c, _: c.listStream()),
    ("query to be encoded", lambda c, _: c.listStream("a+b*c~d/e%f=g&h—中😀!'()")),
    ("describe", lambda c, _: c.describeStream("s", startPartitionId="shardId-0000000001")),
    ("path to be encoded", lambda c, _: c.describeApp("é*~(x)")),
    ("put", lambda c, _: c.put_records("s", "", [{"data": "h€llo", "partition_key": "schlüssel-钥匙-🔑"}])),
    ("cursor", lambda c, _: c.getCursor("s", "0", "TRIM_HORIZON")),
    ("get", lambda c, _: c.getRecords("Y3Vyc29y-_", 10)),
    ("get by id", lambda c, _: c.getCursor("", "0", "AT_SEQUENCE_NUMBER", "0", streamId="8QM3Nt9YTLOwtUVYJhO")),
    ("change", lambda c, _: c.changepartitionQuantity("s", 4)),
    ("metrics: GET with a body, empty parameters", lambda c, _: c.streamMonitor("s", "total_put_records_per_stream")),
    ("delete", lambda c, _: c.deleteStream("s")),
    ("delete with a query", lambda c, _: c.deleteCheckpoint("s", "app")),
    ("temporary key", lambda c, t: c.listStream(**t)),
    ("temporary key, delete", lambda c, t: c.deleteStream("s", **t)),
]


def capture(name, call, derivation, endpoint):
    client = disclient(endpoint, ACCESS_KEY, SECRET_KEY, PROJECT, REGION, derivationKeySwitch=derivation)
    temporary = {"ak": TEMPORARY_ACCESS_KEY, "sk": SECRET_KEY, "xSecrityToken": SECURITY_TOKEN}
    caught.clear()
    try:
        call(client, temporary)
    except Exception:
        pass  # the client is not happy with {}; its request is all that is wanted
    family = "derived-chained" if derivation else "chained"
    return {"name": f"{family}: {name}", **caught[0]}


def main():
    disauth.datetime = FixedTime
    server = HTTPServer(("127.0.0.1", PORT), Catcher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    vectors = []
    stdout, sys.stdout = sys.stdout, sys.stderr  # the client prints
    for derivation in (False, True):
        for name, call in CALLS:
            vectors.append(capture(name, call, derivation, f"http://127.0.0.1:{PORT}"))
        os.environ["http_proxy"] = f"http://127.0.0.1:{PORT}"
        vectors.append(capture("host without port", CALLS[1][1], derivation, "http://dis.example.com"))
        del os.environ["http_proxy"]
    sys.stdout = stdout
    server.shutdown()
    result = {
        "client": f"huaweicloud-sdk-python-dis {version('huaweicloud-sdk-python-dis')}",
        "accessKey": ACCESS_KEY,
        "temporaryAccessKey": TEMPORARY_ACCESS_KEY,
        "secretKey": SECRET_KEY,
        "securityToken": SECURITY_TOKEN,
        "projectId": PROJECT,
        "now": int(NOW.replace(tzinfo=timezone.utc).timestamp() * 1000),
        "vectors": vectors,
    }
    print(json.dumps(result, indent=2))


main()
