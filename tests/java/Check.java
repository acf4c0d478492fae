// The service called from Java, by code generated from the .proto files alone.
//
// Run by `.ci/java`, which generates the code, builds a store and starts a server:
//
//     java Check HOST:PORT SERVICE_CONFIG

import com.google.gson.Gson;
import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import sltd.v1.BatchCheckDocumentsRequest;
import sltd.v1.BatchCheckDocumentsResponse;
import sltd.v1.CheckDocumentRequest;
import sltd.v1.CheckDocumentResponse;
import sltd.v1.DocumentType;
import sltd.v1.ItemError;
import sltd.v1.LookupServiceGrpc;
import sltd.v1.ReportStatus;
import sltd.v1.StreamCheckDocumentsRequest;
import sltd.v1.StreamCheckDocumentsResponse;
import sltd.v1.Verdict;

public final class Check {
    /** A question and the verdict expected. */
    record Case(String number, String issuingState, DocumentType type, Verdict verdict) {
        CheckDocumentRequest request() {
            return CheckDocumentRequest.newBuilder()
                    .setNumber(number)
                    .setIssuingState(issuingState)
                    .setType(type)
                    .build();
        }
    }

    static final DocumentType PASSPORT = DocumentType.DOCUMENT_TYPE_PASSPORT;
    static final List<Case> CASES = List.of(
            new Case("12AB34567", "FRA", PASSPORT, Verdict.VERDICT_HIT),
            new Case("20BB00142", "FRA", PASSPORT, Verdict.VERDICT_HIT),
            new Case("L9ZZ90001", "D", DocumentType.DOCUMENT_TYPE_IDENTITY_CARD, Verdict.VERDICT_HIT),
            new Case("12AB34567", "", DocumentType.DOCUMENT_TYPE_UNSPECIFIED, Verdict.VERDICT_REVIEW),
            new Case("12AB34567", "USA", PASSPORT, Verdict.VERDICT_NO_RECORD),
            new Case("77CC88888", "FRA", PASSPORT, Verdict.VERDICT_NO_RECORD));
    static final List<Verdict> VERDICTS = CASES.stream().map(Case::verdict).toList();

    private Check() {}

    public static void main(String[] arguments) throws Exception {
        ManagedChannel channel = connect(arguments[0], Path.of(arguments[1]));
        try {
            checkOneByOne(channel);
            checkBatch(channel);
            checkStream(channel);
            checkErrors(channel);
        } finally {
            channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
        }
        System.out.printf(
                "java: %d questions one by one, in a batch and in a job; errors: as expected%n", CASES.size());
    }

    /** A channel that calls as the contract's service config says. */
    @SuppressWarnings("unchecked")
    static ManagedChannel connect(String address, Path serviceConfig) throws Exception {
        // Gson reads every number as a Double, as grpc-java wants it.
        Map<String, ?> config = new Gson().fromJson(Files.readString(serviceConfig), Map.class);
        return ManagedChannelBuilder.forTarget("dns:///" + address)
                .usePlaintext()
                .defaultServiceConfig(config)
                .enableRetry()
                .keepAliveTime(30, TimeUnit.SECONDS)
                .keepAliveTimeout(10, TimeUnit.SECONDS)
                .build();
    }

    static void checkOneByOne(ManagedChannel channel) {
        var lookup = LookupServiceGrpc.newBlockingStub(channel);
        for (Case one : CASES) {
            equal("verdict on " + one, lookup.checkDocument(one.request()).getVerdict(), one.verdict());
        }
        CheckDocumentResponse answer = lookup.checkDocument(CASES.get(0).request());
        equal("status", answer.getMatches(0).getStatus(), ReportStatus.REPORT_STATUS_STOLEN);
        equal("authority", answer.getMatches(0).getAuthority().getName(), "National Central Bureau Paris");
        equal("generation", answer.getSnapshot().getGeneration(), 1L);
    }

    static void checkBatch(ManagedChannel channel) {
        var request = BatchCheckDocumentsRequest.newBuilder();
        CASES.forEach(one -> request.addItems(one.request()));
        request.addItems(CheckDocumentRequest.newBuilder().setNumber("12AB#"));
        BatchCheckDocumentsResponse answer =
                LookupServiceGrpc.newBlockingStub(channel).batchCheckDocuments(request.build());
        equal("results", answer.getResultsCount(), CASES.size() + 1);
        for (int i = 0; i < CASES.size(); i++) {
            equal("verdict on " + CASES.get(i), answer.getResults(i).getAnswer().getVerdict(), VERDICTS.get(i));
        }
        ItemError error = answer.getResults(CASES.size()).getError();
        equal("field", error.getField(), "number");
        equal("position", error.getPosition(), 5);
    }

    static StreamCheckDocumentsRequest chunk(List<Case> cases) {
        List<String> states =
                cases.stream().map(Case::issuingState).filter(state -> !state.isEmpty()).distinct().toList();
        byte[] indexes = new byte[cases.size()];
        byte[] types = new byte[cases.size()];
        for (int i = 0; i < cases.size(); i++) {
            indexes[i] = (byte) (states.indexOf(cases.get(i).issuingState()) + 1);
            types[i] = (byte) cases.get(i).type().getNumber();
        }
        String numbers = String.join("\n", cases.stream().map(Case::number).toList());
        return StreamCheckDocumentsRequest.newBuilder()
                .setNumbers(ByteString.copyFrom(numbers, StandardCharsets.UTF_8))
                .addAllIssuingStates(states)
                .setIssuingStateIndexes(ByteString.copyFrom(indexes))
                .setTypes(ByteString.copyFrom(types))
                .build();
    }

    /** The verdicts of a stream about these cases, one a chunk, as far as it went. */
    static List<Verdict> stream(ManagedChannel channel, List<Case> cases, boolean breaks) throws Exception {
        List<Verdict> verdicts = new ArrayList<>();
        CompletableFuture<Void> ended = new CompletableFuture<>();
        var questions = new CompletableFuture<StreamObserver<StreamCheckDocumentsRequest>>();
        questions.complete(LookupServiceGrpc.newStub(channel).streamCheckDocuments(new StreamObserver<>() {
            @Override
            public void onNext(StreamCheckDocumentsResponse answer) {
                // Positions count from the first item of this stream.
                equal("first item", answer.getFirstItem(), (long) verdicts.size());
                for (byte value : answer.getVerdicts()) {
                    verdicts.add(Verdict.forNumber(value));
                }
                if (breaks) {
                    questions.join().onError(Status.CANCELLED.asException());
                }
            }

            @Override
            public void onError(Throwable error) {
                ended.complete(null);
            }

            @Override
            public void onCompleted() {
                ended.complete(null);
            }
        }));
        for (Case one : cases) {
            questions.join().onNext(chunk(List.of(one)));
            if (breaks) {
                break;
            }
        }
        if (!breaks) {
            questions.join().onCompleted();
        }
        ended.get(30, TimeUnit.SECONDS);
        return verdicts;
    }

    /** A job, and one that goes on in a new stream where the first was broken off. */
    static void checkStream(ManagedChannel channel) throws Exception {
        equal("verdicts of the job", stream(channel, CASES, false), VERDICTS);
        List<Verdict> verdicts = new ArrayList<>(stream(channel, CASES, true));
        equal("answers before the break", verdicts.size(), 1);
        verdicts.addAll(stream(channel, CASES.subList(verdicts.size(), CASES.size()), false));
        equal("verdicts of the resumed job", verdicts, VERDICTS);
    }

    static void checkErrors(ManagedChannel channel) {
        var lookup = LookupServiceGrpc.newBlockingStub(channel);
        var malformed = CheckDocumentRequest.newBuilder().setNumber("12AB#4567").setIssuingState("GERMANY");
        try {
            lookup.checkDocument(malformed.build());
            throw new AssertionError("a malformed number was answered");
        } catch (StatusRuntimeException error) {
            equal("code", error.getStatus().getCode(), Status.Code.INVALID_ARGUMENT);
            byte[] details = error.getTrailers()
                    .get(Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER));
            String text = new String(details, StandardCharsets.ISO_8859_1);
            for (String part : List.of("google.rpc.BadRequest", "number", "issuing_state")) {
                equal(part + " in the details", text.contains(part), true);
            }
            equal("number in the error", error.toString().contains("12AB"), false);
        }
        try {
            lookup.withDeadlineAfter(0, TimeUnit.NANOSECONDS).checkDocument(CASES.get(0).request());
            throw new AssertionError("an expired call was answered");
        } catch (StatusRuntimeException error) {
            equal("code", error.getStatus().getCode(), Status.Code.DEADLINE_EXCEEDED);
        }
    }

    static void equal(String what, Object got, Object expected) {
        if (!got.equals(expected)) {
            throw new AssertionError(what + ": expected " + expected + ", got " + got);
        }
    }
}
