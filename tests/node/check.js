// The service called from Node.js, by the .proto files alone.
//
// Run by `.ci/node`, which builds a store and starts a server:
//
//     NODE_PATH=MODULES node tests/node/check.js HOST:PORT
"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { promisify } = require("node:util");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const root = path.join(__dirname, "..", "..");
const contract = grpc.loadPackageDefinition(
  loader.loadSync(["sltd/v1/lookup_service.proto", "grpc/health/v1/health.proto"], {
    includeDirs: [path.join(root, "proto")],
    // Generations are 64-bit integers, which a JavaScript number does not hold.
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  }),
);

// How the contract wants to be called: deadlines, retries, round robin.
const serviceConfig = fs.readFileSync(path.join(root, "proto", "service_config.json"), "utf8");

// number, issuing State, type; the verdict expected
const CASES = [
  ["12AB34567", "FRA", "DOCUMENT_TYPE_PASSPORT", "VERDICT_HIT"],
  ["20BB00142", "FRA", "DOCUMENT_TYPE_PASSPORT", "VERDICT_HIT"],
  ["L9ZZ90001", "D", "DOCUMENT_TYPE_IDENTITY_CARD", "VERDICT_HIT"],
  ["12AB34567", "", "DOCUMENT_TYPE_UNSPECIFIED", "VERDICT_REVIEW"],
  ["12AB34567", "USA", "DOCUMENT_TYPE_PASSPORT", "VERDICT_NO_RECORD"],
  ["77CC88888", "FRA", "DOCUMENT_TYPE_PASSPORT", "VERDICT_NO_RECORD"],
];
const VERDICTS = CASES.map(([, , , verdict]) => verdict);
const question = ([number, issuingState, type]) => ({ number, issuingState, type });

function connect(target) {
  const options = {
    "grpc.service_config": serviceConfig,
    // A list of addresses is no :authority.
    "grpc.default_authority": "sltd",
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
  };
  const credentials = grpc.credentials.createInsecure();
  const lookup = new contract.sltd.v1.LookupService(target, credentials, options);
  const health = new contract.grpc.health.v1.Health(target, credentials, options);
  const call = (client, method) => promisify(client[method]).bind(client);
  return { lookup, health, call };
}

async function checkHealth({ health, call }) {
  const { status } = await call(health, "check")({ service: "sltd.v1.LookupService" });
  assert.equal(status, "SERVING");
  const { statuses } = await call(health, "list")({});
  assert.deepEqual(Object.keys(statuses).sort(), ["", "sltd.v1.AdminService", "sltd.v1.LookupService"]);
}

async function checkOneByOne({ lookup, call }) {
  for (const one of CASES) {
    const answer = await call(lookup, "checkDocument")(question(one));
    assert.equal(answer.verdict, one[3], `${one}`);
  }
  const answer = await call(lookup, "checkDocument")(question(CASES[0]));
  const [match] = answer.matches;
  assert.equal(match.status, "REPORT_STATUS_STOLEN");
  assert.equal(match.authority.name, "National Central Bureau Paris");
  assert.equal(answer.snapshot.generation, "1");
}

async function checkBatch({ lookup, call }) {
  const items = [...CASES.map(question), { number: "12AB#" }];
  const { results, shared } = await call(lookup, "batchCheckDocuments")({ items });
  const answers = results.slice(0, -1).map((result) => result.answer);
  assert.deepEqual(answers.map((answer) => answer.verdict), VERDICTS);
  const authority = shared.authorities[answers[0].matches[0].authorityIndex];
  assert.equal(authority.name, "National Central Bureau Paris");
  const { error } = results[results.length - 1];
  assert.deepEqual([error.field, error.position], ["number", 5]);
}

function chunk(cases) {
  const states = [...new Set(cases.map(([, state]) => state))].filter((state) => state);
  const types = contract.sltd.v1.DocumentType.type.value;
  const numberOf = new Map(types.map(({ name, number }) => [name, number]));
  return {
    numbers: Buffer.from(cases.map(([number]) => number).join("\n")),
    issuingStates: states,
    issuingStateIndexes: Buffer.from(cases.map(([, state]) => states.indexOf(state) + 1)),
    types: Buffer.from(cases.map(([, , type]) => numberOf.get(type))),
  };
}

// Asks about all cases in chunks, and goes on in a new stream where one broke. `breaks` breaks the first.
async function job(lookup, size, breaks) {
  const names = contract.sltd.v1.Verdict.type.value;
  const nameOf = new Map(names.map(({ name, number }) => [number, name]));
  const verdicts = [];
  let streams = 0;
  while (verdicts.length < CASES.length) {
    const answered = verdicts.length;
    const answers = lookup.streamCheckDocuments();
    streams += 1;
    const broken = breaks && streams === 1;
    const end = broken ? size : CASES.length;
    for (let begin = answered; begin < end; begin += size) {
      answers.write(chunk(CASES.slice(begin, begin + size)));
    }
    if (!broken) answers.end();
    try {
      for await (const answer of answers) {
        // Positions count from the first item of this stream.
        assert.equal(Number(answer.firstItem), verdicts.length - answered);
        verdicts.push(...[...answer.verdicts].map((value) => nameOf.get(value)));
        if (broken) answers.cancel();
      }
    } catch (error) {
      assert.equal(error.code, grpc.status.CANCELLED);
    }
  }
  return { verdicts, streams };
}

async function checkStream({ lookup }) {
  assert.deepEqual(await job(lookup, 2, false), { verdicts: VERDICTS, streams: 1 });
  assert.deepEqual(await job(lookup, 2, true), { verdicts: VERDICTS, streams: 2 });
}

async function checkErrors({ lookup, call }) {
  const malformed = { number: "12AB#4567", issuingState: "GERMANY" };
  await assert.rejects(call(lookup, "checkDocument")(malformed), (error) => {
    assert.equal(error.code, grpc.status.INVALID_ARGUMENT);
    const [details] = error.metadata.get("grpc-status-details-bin");
    for (const part of ["google.rpc.BadRequest", "number", "issuing_state"]) {
      assert.ok(details.includes(part), `${part} is not in the details`);
    }
    assert.ok(!`${error}`.includes("12AB"), `the error repeats the number: ${error}`);
    return true;
  });
  const late = { deadline: new Date(Date.now() - 1) };
  const check = promisify((request, options, done) => lookup.checkDocument(request, options, done));
  await assert.rejects(check(question(CASES[0]), late), { code: grpc.status.DEADLINE_EXCEEDED });
}

async function main() {
  const [address] = process.argv.slice(2);
  for (const target of [address, `ipv4:${address},${address}`]) {
    const client = connect(target);
    await checkHealth(client);
    await checkOneByOne(client);
    await checkBatch(client);
    await checkStream(client);
    await checkErrors(client);
    client.lookup.close();
    client.health.close();
  }
  console.log(`node: ${CASES.length} questions one by one, in a batch and in a job; errors; health: as expected`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
