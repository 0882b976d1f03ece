import type { Offer } from '../messages';
import { readTrace } from './read-trace';
import type { WireReader } from './wire-reader';

/** Reads an `Offer`. */
export function readOffer(reader: WireReader): Offer {
  let offerId = 0;
  let queue = '';
  let rows = 0;
  let shapeKey = '';
  let bytes = 0;
  let timeoutMs = 0;
  let ageMs = 0;
  let priority = 0;
  let queueTimeoutUs = 0;
  let solo = false;
  let background = false;
  let trace: Uint8Array | undefined;
  let requestId = '';
  let why = false;
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x08:
        offerId = reader.uint();
        break;
      case 0x12:
        queue = reader.string();
        break;
      case 0x18:
        rows = reader.uint();
        break;
      case 0x22:
        shapeKey = reader.string();
        break;
      case 0x28:
        bytes = reader.uint();
        break;
      case 0x31:
        timeoutMs = reader.double();
        break;
      case 0x39:
        ageMs = reader.double();
        break;
      case 0x40:
        priority = reader.uint();
        break;
      case 0x48:
        queueTimeoutUs = reader.uint();
        break;
      case 0x50:
        solo = reader.flag();
        break;
      case 0x58:
        background = reader.flag();
        break;
      case 0x62:
        trace = readTrace(reader);
        break;
      case 0x6a:
        requestId = reader.string();
        break;
      case 0x70:
        why = reader.flag();
        break;
      default:
        reader.skip(tag);
    }
  }
  const offer: Offer = {
    kind: 'offer',
    offerId,
    queue,
    rows,
    shapeKey,
    bytes,
    timeoutMs,
    ageMs,
    priority,
    queueTimeoutUs,
    solo,
    background,
  };
  if (!trace && !why && requestId === '') return offer;
  return { ...offer, ...(trace && { trace }), ...(requestId !== '' && { requestId }), ...(why && { why }) };
}
