import type { ShoalError } from '@shoal/core';
import type { Link, LinkMessage, Reject } from '@shoal/link';
import { FakeClock } from '@shoal/testing';
import { simplePlan } from '../testing/simple-plan';
import { RequestTable } from './request-table';

test.each([300, undefined])('when to try again is told with the refusal, where batching knows: %s', (retryMs) => {
  let offerId = 0;
  const link: Link = {
    peer: { kind: 'hello', role: 'batching', id: 'x' },
    bufferedBytes: 0,
    sharesMemory: false,
    send: (message: LinkMessage) => void (message.kind === 'offer' && (offerId = message.offerId)),
    onMessage: () => undefined,
    onClose: () => undefined,
    close: () => Promise.resolve(),
  };
  const failures: ShoalError[] = [];
  const table = new RequestTable(new FakeClock(0), { owner: () => 'b1', batching: () => link, runner: () => link });
  const waiter = {
    answered: () => undefined,
    failed: (error: ShoalError) => void failures.push(error),
    allocate: (length: number) => Buffer.alloc(length),
    replan: simplePlan,
  };
  table.submit(simplePlan(), waiter, Infinity);
  const reject: Reject = { kind: 'reject', offerId, code: 'RESOURCE_EXHAUSTED', message: 'busy', origin: 'queue' };
  table.batchingMessage({ ...reject, ...(retryMs !== undefined && { retryMs }) });
  expect(failures).toMatchObject([{ code: 'RESOURCE_EXHAUSTED', message: 'busy' }]);
  expect(failures[0]?.retryMs).toBe(retryMs);
});
