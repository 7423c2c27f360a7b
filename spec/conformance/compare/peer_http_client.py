# Python's http.client on one kept-alive connection, as a client under comparison. It cannot pipeline.
import http.client
import json
import ssl
import sys
import time

IDLE_SECONDS = 0.06


def work(task):
    if task.get("ca"):
        context = ssl.create_default_context(cadata=task["ca"])
        connection = http.client.HTTPSConnection("localhost", task["port"], context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", task["port"])

    def ask(request):
        try:
            body = request.get("body")
            connection.request(request["method"], request["path"], body.encode("latin-1") if body else None)
            response = connection.getresponse()
            return {"status": response.status, "body": response.read().decode("latin-1")}
        except Exception as error:
            connection.close()
            return {"error": type(error).__name__}

    if task["early"]:
        ask({"method": "GET", "path": "/warm-up"})
        time.sleep(IDLE_SECONDS)
    answers = [ask(request) for request in task["requests"]]
    time.sleep(IDLE_SECONDS)
    following = ask({"method": "GET", "path": "/next"})
    if "error" in following:
        following = ask({"method": "GET", "path": "/next"})
    connection.close()
    return {"answers": answers, "next": following}


print("ready", flush=True)
for line in sys.stdin:
    print(json.dumps(work(json.loads(line))), flush=True)
