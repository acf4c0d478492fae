"""The service called from Python, by code generated from the .proto files alone.

Run by `.ci/python`, which generates the code, builds a store and starts a server:

    PYTHONPATH=GENERATED python tests/python/check.py HOST:PORT
"""

import pathlib
import sys

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sltd.v1 import answer_pb2, document_pb2, lookup_service_pb2, lookup_service_pb2_grpc

PASSPORT = document_pb2.DOCUMENT_TYPE_PASSPORT
# The lost card of data-tools/samples/checks.
LOST_CARD = """\
IDD<<L9ZZ900012<<<<<<<<<<<<<<<
8001014F3101012D<<<<<<<<<<<<<8
SPECIMEN<<ANNA<<<<<<<<<<<<<<<<
"""
# (number, issuing State, type, zone), the verdict expected, one of its reasons
CASES = [
    (("12AB34567", "FRA", PASSPORT, ""), "HIT", None),
    (("20BB00142", "FRA", PASSPORT, ""), "HIT", None),
    (("", "", 0, LOST_CARD), "HIT", None),
    (("12AB34567", "", 0, ""), "REVIEW", "ISSUER_NOT_GIVEN"),
    (("12AB34567", "USA", PASSPORT, ""), "NO_RECORD", None),
    (("77CC88888", "FRA", PASSPORT, ""), "NO_RECORD", None),
    (("", "", 0, "P<FRA"), "INCONCLUSIVE", "UNREADABLE"),
]
DEADLINE = 30  # seconds; nothing here takes one


def request(number, issuing_state, document_type, mrz):
    return lookup_service_pb2.CheckDocumentRequest(
        number=number, issuing_state=issuing_state, type=document_type, mrz=mrz
    )


def verdict_name(value):
    return answer_pb2.Verdict.Name(value).removeprefix("VERDICT_")


def reason_names(values):
    return [answer_pb2.Reason.Name(value).removeprefix("REASON_") for value in values]


def equal(what, got, expected):
    if got != expected:
        sys.exit(f"{what}: expected {expected!r}, got {got!r}")


def check_health(channel):
    health = health_pb2_grpc.HealthStub(channel)
    for service in ["", "sltd.v1.LookupService"]:
        answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=DEADLINE)
        equal(f"health of {service!r}", answer.status, health_pb2.HealthCheckResponse.SERVING)


def check_one_by_one(lookup):
    for question, verdict, reason in CASES:
        answer = lookup.CheckDocument(request(*question), timeout=DEADLINE)
        equal(f"verdict on {question}", verdict_name(answer.verdict), verdict)
        if reason is not None and reason not in reason_names(answer.reasons):
            sys.exit(f"{question}: {reason} is not among {reason_names(answer.reasons)}")
    answer = lookup.CheckDocument(request(*CASES[0][0]), timeout=DEADLINE)
    match = answer.matches[0]
    equal("status", match.status, answer_pb2.REPORT_STATUS_STOLEN)
    equal("authority", match.authority.name, "National Central Bureau Paris")
    equal("date reported", match.date_reported, "2026-10-02")
    equal("coverage", answer.coverage.level, answer_pb2.COVERAGE_LEVEL_CURRENT)
    equal("generation", answer.snapshot.generation, 1)


def check_batch(lookup):
    items = [request(*question) for question, _, _ in CASES] + [request("12AB#", "", 0, "")]
    answer = lookup.BatchCheckDocuments(
        lookup_service_pb2.BatchCheckDocumentsRequest(items=items), timeout=DEADLINE
    )
    equal("results", len(answer.results), len(items))
    for (question, verdict, _), result in zip(CASES, answer.results):
        equal(f"verdict on {question}", verdict_name(result.answer.verdict), verdict)
    match = answer.results[0].answer.matches[0]
    authority = answer.shared.authorities[match.authority_index]
    equal("authority", authority.name, "National Central Bureau Paris")
    error = answer.results[-1].error
    equal("error", (error.field, error.position), ("number", 5))


def check_stream(lookup):
    questions = [question for question, _, _ in CASES if not question[3]]
    verdicts = [verdict for question, verdict, _ in CASES if not question[3]]
    states = sorted({question[1] for question in questions} - {""})
    chunk = lookup_service_pb2.StreamCheckDocumentsRequest(
        numbers="\n".join(question[0] for question in questions).encode(),
        issuing_states=states,
        issuing_state_indexes=bytes(
            states.index(question[1]) + 1 if question[1] else 0 for question in questions
        ),
        types=bytes(question[2] for question in questions),
    )
    got, first_items = [], []
    for answer in lookup.StreamCheckDocuments(iter([chunk, chunk]), timeout=DEADLINE):
        first_items.append(answer.first_item)
        got += [verdict_name(value) for value in answer.verdicts]
    equal("verdicts of the job", got, verdicts * 2)
    equal("first items", first_items, [0, len(verdicts)])


def chunk_of(case):
    (number, issuing_state, document_type, _), _, _ = case
    return lookup_service_pb2.StreamCheckDocumentsRequest(
        numbers=number.encode(), issuing_states=[issuing_state] if issuing_state else [], type=document_type
    )


def check_resumed_stream(lookup):
    """A job whose first stream breaks goes on in a new one behind the verdicts that have come."""
    cases = [case for case in CASES if not case[0][3]]
    got, streams = [], 0
    while len(got) < len(cases):
        left = cases[len(got) :]
        answers = lookup.StreamCheckDocuments((chunk_of(case) for case in left), timeout=DEADLINE)
        streams += 1
        for answer in answers:
            got += [verdict_name(value) for value in answer.verdicts]
            if streams == 1:
                answers.cancel()
                break
    equal("verdicts of the resumed job", got, [verdict for _, verdict, _ in cases])
    equal("streams", streams, 2)


def check_compression(lookup):
    """Small messages, which gRPC leaves as they are, and large ones are refused alike."""
    for number in ["12AB34567", "1" * 2_000]:
        try:
            lookup.CheckDocument(request(number, "", 0, ""), timeout=DEADLINE, compression=grpc.Compression.Gzip)
            sys.exit("a compressed call was answered")
        except grpc.RpcError as error:
            equal("code", error.code(), grpc.StatusCode.UNIMPLEMENTED)


def check_service_config(address):
    """Round robin over a list of addresses, called as the contract's service config says."""
    config = pathlib.Path(__file__).parents[2] / "proto" / "service_config.json"
    options = [
        ("grpc.service_config", config.read_text(encoding="utf-8")),
        # A list of addresses is no :authority.
        ("grpc.default_authority", "sltd"),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
    ]
    with grpc.insecure_channel(f"ipv4:{address},{address}", options=options) as channel:
        lookup = lookup_service_pb2_grpc.LookupServiceStub(channel)
        check_one_by_one(lookup)
        check_stream(lookup)


def check_errors(channel, lookup):
    try:
        lookup.CheckDocument(request("12AB#4567", "", 0, ""), timeout=DEADLINE)
        sys.exit("a malformed number was answered")
    except grpc.RpcError as error:
        equal("code", error.code(), grpc.StatusCode.INVALID_ARGUMENT)
        trailers = dict(error.trailing_metadata())
        status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
        details = error_details_pb2.BadRequest()
        if not status.details[0].Unpack(details):
            sys.exit(f"not a BadRequest: {status}")
        equal("field", details.field_violations[0].field, "number")
        if "12AB" in str(error):
            sys.exit(f"the error repeats the number: {error}")
    unknown = channel.unary_unary("/sltd.v1.LookupService/Guess")
    try:
        unknown(b"", timeout=DEADLINE)
        sys.exit("an unknown method was answered")
    except grpc.RpcError as error:
        equal("code", error.code(), grpc.StatusCode.UNIMPLEMENTED)


def main():
    with grpc.insecure_channel(sys.argv[1]) as channel:
        lookup = lookup_service_pb2_grpc.LookupServiceStub(channel)
        check_health(channel)
        check_one_by_one(lookup)
        check_batch(lookup)
        check_stream(lookup)
        check_resumed_stream(lookup)
        check_errors(channel, lookup)
        check_compression(lookup)
    check_service_config(sys.argv[1])
    print(f"python: {len(CASES)} questions one by one, in a batch and in a job; errors; health: as expected")


if __name__ == "__main__":
    main()
