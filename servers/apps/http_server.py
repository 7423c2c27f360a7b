"""Python's http.server in the forms that people write it. Usage: http_server.py DOCUMENTS LOG

Prints one line of JSON with the port of each form, then serves until it is ended.
"""
import email.parser
import email.policy
import hashlib
import json
import socketserver
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, HTTPServer, SimpleHTTPRequestHandler, ThreadingHTTPServer

DOCUMENTS, LOG = sys.argv[1:]
log = open(LOG, "w", buffering=1)
log_lock = threading.Lock()


class Files(SimpleHTTPRequestHandler):
    """`python3 -m http.server` with the one line that makes it speak HTTP/1.1."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, directory=DOCUMENTS, **kwargs)

    def log_message(self, *_):
        with log_lock:
            log.write(self.path + "\n")


class OldFiles(Files):
    """`python3 -m http.server` as it is: it answers in HTTP/1.0."""

    protocol_version = "HTTP/1.0"


class Limited(Files):
    """Closes after a few answers, and does not say so."""

    def setup(self):
        super().setup()
        self.answers = 0

    def handle_one_request(self):
        super().handle_one_request()
        self.answers += 1
        if self.answers == 7:
            self.close_connection = True


class Uploads(Files):
    """Reads bodies by their Content-Length, as most handlers do."""

    def answer(self, content, status=200):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers.get("Content-Type", "")
        if kind.startswith("application/x-www-form-urlencoded"):
            self.answer({"form": urllib.parse.parse_qs(body.decode("ascii"))})
        elif kind.startswith("multipart/form-data"):
            head = b"Content-Type: " + kind.encode("latin-1") + b"\r\n\r\n"
            parts = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body).iter_parts()
            self.answer({"parts": [self.describe(part) for part in parts]})
        else:
            self.answer({"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()})

    @staticmethod
    def describe(part):
        content = part.get_payload(decode=True)
        name = part.get_param("name", header="Content-Disposition")
        return [name, part.get_filename(), hashlib.sha256(content).hexdigest()]

    def do_GET(self):
        if self.path.startswith("/error/"):
            self.send_error(int(self.path[len("/error/") :].split("?")[0]))
        else:
            super().do_GET()


class Refusing(Uploads):
    """Wants no body."""

    def handle_expect_100(self):
        self.send_error(417 if self.path.startswith("/417") else 413)
        return False


class Ignoring(Uploads):
    """Does not know of Expect: it just waits for the body."""

    def handle_expect_100(self):
        return True


class Forgetful(BaseHTTPRequestHandler):
    """Forgets end_headers(): what it says stays in its buffer, or goes out without its end."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        if self.path == "/flushed":
            self.flush_headers()
        self.close_connection = True


class OldForgetful(Forgetful):
    """The same in HTTP/1.0, where the connection closes in any case."""

    protocol_version = "HTTP/1.0"


class Server(HTTPServer):
    """One connection at a time."""


class Threading(ThreadingHTTPServer):
    daemon_threads = True


FORMS = {
    "files": (Threading, Files),
    "single": (Server, Files),
    "old": (Threading, OldFiles),
    "limited": (Threading, Limited),
    "uploads": (Threading, Uploads),
    "refusing": (Threading, Refusing),
    "ignoring": (Threading, Ignoring),
    "forgetful": (Threading, Forgetful),
    "oldForgetful": (Threading, OldForgetful),
}

ports = {}
for form, (server_class, handler) in FORMS.items():
    # Nobody looks at the port before it is printed, and the backlog holds whoever is early.
    socketserver.TCPServer.request_queue_size = 64
    server = server_class(("127.0.0.1", 0), handler)
    ports[form] = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps(ports), flush=True)
threading.Event().wait()
