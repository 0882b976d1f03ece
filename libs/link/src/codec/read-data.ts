import type { MessageBytes } from '../bytes';
import type { Answer, Batch, Data, InputData, OutputPlace, WantedOutput } from '../messages';
import { readBlock, readFilePart, readPlace } from './read-shared';
import { readTrace } from './read-trace';
import { nested, type WireReader } from './wire-reader';

const noBytes = Buffer.alloc(0);

/** Reads a `Batch`. */
export function readBatch(reader: WireReader): Batch {
  let batchId = 0;
  const routers: string[] = [];
  const rows: number[] = [];
  let trace: Uint8Array | undefined;
  let grantedMs = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) batchId = reader.uint();
    else if (tag === 0x12) routers.push(reader.stringLike(routers.at(-1)));
    else if (tag === 0x1a) reader.uints(rows);
    else if (tag === 0x18) rows.push(reader.uint());
    else if (tag === 0x22) trace = readTrace(reader);
    else if (tag === 0x29) grantedMs = reader.double();
    else reader.skip(tag);
  }
  if (!trace) return { kind: 'batch', batchId, routers, rows };
  return { kind: 'batch', batchId, routers, rows, trace, grantedMs };
}

/** Reads a `Data`; the tensors are views of the frame, or say where they lie. */
export function readData(reader: WireReader): Data {
  let batchId = 0;
  let member = 0;
  let offerId = 0;
  let requestId = '';
  const inputs: InputData[] = [];
  const outputs: WantedOutput[] = [];
  let trace: Uint8Array | undefined;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) batchId = reader.uint();
    else if (tag === 0x10) member = reader.uint();
    else if (tag === 0x18) offerId = reader.uint();
    else if (tag === 0x22) requestId = reader.string();
    else if (tag === 0x2a) inputs.push(nested(reader, readInput));
    else if (tag === 0x32) outputs.push(nested(reader, readOutput));
    else if (tag === 0x3a) trace = readTrace(reader);
    else reader.skip(tag);
  }
  const data: Data = { kind: 'data', batchId, member, offerId, requestId, inputs, outputs };
  return trace ? { ...data, trace } : data;
}

/** Reads an `Answer`; the response is a view of the frame, or says where it lies. */
export function readAnswer(reader: WireReader): Answer {
  let offerId = 0;
  let response: MessageBytes = noBytes;
  let computeUs = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) offerId = reader.uint();
    else if (tag === 0x12) response = reader.bytes();
    else if (tag === 0x1a) response = nested(reader, readBlock);
    else if (tag === 0x28) computeUs = reader.uint();
    else reader.skip(tag);
  }
  return { kind: 'answer', offerId, response, computeUs };
}

function readInput(reader: WireReader): InputData {
  let index = 0;
  const shape: number[] = [];
  let bytes: MessageBytes = noBytes;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) index = reader.uint();
    else if (tag === 0x12) reader.uints(shape);
    else if (tag === 0x10) shape.push(reader.uint());
    else if (tag === 0x1a) bytes = reader.bytes();
    else if (tag === 0x22) bytes = nested(reader, readBlock);
    else if (tag === 0x2a) bytes = nested(reader, readFilePart);
    else reader.skip(tag);
  }
  return { index, shape, bytes };
}

function readOutput(reader: WireReader): WantedOutput {
  let index = 0;
  let classification = 0;
  let place: OutputPlace | undefined;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) index = reader.uint();
    else if (tag === 0x10) classification = reader.uint();
    else if (tag === 0x1a) place = nested(reader, readPlace);
    else reader.skip(tag);
  }
  return place ? { index, classification, place } : { index, classification };
}
