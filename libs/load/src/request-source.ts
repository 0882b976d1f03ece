import { type RegionRange, type RequestForm, serialiseRequest, withId } from './infer-requests';
import type { RequestData } from './input-files';
import type { ModelIo } from './model-io';
import type { NextRequest } from './sender';
import type { SharedRegions } from './shared-regions';
import { slotId } from './stream-answer';

export interface SourceOptions {
  readonly model: ModelIo;
  readonly data: readonly RequestData[];
  readonly batchSize: number;
  readonly background?: boolean;
  /** `slot`: each request has its slot's id; `unique`: one of its own, which costs a copy; `none`. */
  readonly ids: 'none' | 'slot' | 'unique';
  readonly regions: SharedRegions | undefined;
}

/**
 * The requests, serialised once and sent again and again; the data's entries take turns. What differs between slots
 * (ids, places of outputs) is made when a slot is first used.
 */
export function requestSource(options: SourceOptions): NextRequest {
  const { data, ids, regions } = options;
  const bySlot = new Map<number, Buffer>();
  const places = regions?.outputs.length ?? 1;
  const make = (entry: number, slot: number) => serialiseRequest(formOf(options, entry, slot % places), data[entry]!);
  const perSlot = ids === 'slot' || regions !== undefined;
  const common = perSlot ? [] : data.map((_, entry) => make(entry, 0));
  let count = 0;
  const request = (slot: number): Buffer => {
    const entry = count++ % data.length;
    if (!perSlot) return common[entry] as Buffer;
    const key = slot * data.length + entry;
    let made = bySlot.get(key);
    if (made === undefined) {
      made = make(entry, slot);
      if (ids === 'slot') made = withId(made, slotId(slot));
      bySlot.set(key, made);
    }
    return made;
  };
  if (ids !== 'unique') return request;
  return (slot) => withId(request(slot), `r${count}`);
}

function formOf(
  { model, batchSize, background = false, regions }: SourceOptions,
  entry: number,
  place: number,
): RequestForm {
  if (regions === undefined) return { model, batchSize, background };
  const inputRanges = regions.inputs[entry] as ReadonlyMap<string, RegionRange>;
  const outputRanges = regions.outputs[place] as ReadonlyMap<string, RegionRange>;
  return { model, batchSize, background, inputRanges, outputRanges };
}
