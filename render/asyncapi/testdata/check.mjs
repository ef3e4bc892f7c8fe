// Checks documents with AsyncAPI's own parser: node check.mjs FILE...
// It needs @asyncapi/parser, @asyncapi/avro-schema-parser and
// @asyncapi/protobuf-schema-parser beside it.
import { readFileSync } from 'node:fs';
import asyncapi from '@asyncapi/parser';
import { AvroSchemaParser } from '@asyncapi/avro-schema-parser';
import { ProtoBuffSchemaParser } from '@asyncapi/protobuf-schema-parser';

let failed = 0;
for (const file of process.argv.slice(2)) {
  const parser = new asyncapi.Parser();
  parser.registerSchemaParser(AvroSchemaParser());
  parser.registerSchemaParser(ProtoBuffSchemaParser());
  const { document, diagnostics } = await parser.parse(readFileSync(file, 'utf8'));
  const errors = diagnostics.filter((d) => d.severity === 0);
  for (const d of errors) console.log(`${file}:${d.range.start.line + 1}: ${d.message} (${d.code})`);
  if (errors.length > 0 || !document) failed++;
}
console.log(`${process.argv.length - 2} documents, ${failed} with errors`);
process.exit(failed ? 1 : 0);
