import type { Done, MemberError } from '../messages';
import { codeOf, outcomes, word } from './names';
import { nested, type WireReader } from './wire-reader';

/** Reads a `Done`. */
export function readDone(reader: WireReader): Done {
  let batchId = 0;
  let outcome = 0;
  let code = 0;
  let message = '';
  const memberErrors: MemberError[] = [];
  const absent: number[] = [];
  let waitNs = 0;
  let computeInputNs = 0;
  let computeInferNs = 0;
  let computeOutputNs = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) batchId = reader.uint();
    else if (tag === 0x10) outcome = reader.uint();
    else if (tag === 0x18) code = reader.uint();
    else if (tag === 0x22) message = reader.string();
    else if (tag === 0x2a) memberErrors.push(nested(reader, readMemberError));
    else if (tag === 0x32) reader.uints(absent);
    else if (tag === 0x30) absent.push(reader.uint());
    else if (tag === 0x39) waitNs = reader.double();
    else if (tag === 0x41) computeInputNs = reader.double();
    else if (tag === 0x49) computeInferNs = reader.double();
    else if (tag === 0x51) computeOutputNs = reader.double();
    else reader.skip(tag);
  }
  return {
    kind: 'done',
    batchId,
    outcome: word(outcomes, outcome, 'outcome'),
    code: codeOf(code),
    message,
    memberErrors,
    absent,
    waitNs,
    computeInputNs,
    computeInferNs,
    computeOutputNs,
  };
}

function readMemberError(reader: WireReader): MemberError {
  let member = 0;
  let code = 0;
  let message = '';
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) member = reader.uint();
    else if (tag === 0x10) code = reader.uint();
    else if (tag === 0x1a) message = reader.string();
    else reader.skip(tag);
  }
  return { member, code: codeOf(code), message };
}
