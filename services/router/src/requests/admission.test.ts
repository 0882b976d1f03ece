import { Admission } from './admission';

test('requests and bytes are bounded, and come free again', () => {
  const admission = new Admission({ requests: 2, bytes: 100 });
  admission.admit(60);
  expect(() => admission.admit(101)).toThrow('the request has 101 bytes, more than the 100');
  expect(() => admission.admit(41)).toThrow('the server is at its limit of 100 bytes');
  admission.admit(40);
  expect(() => admission.admit(0)).toThrow('the server is at its limit of 2 unanswered requests');
  expect(() => admission.admit(0)).toThrow(expect.objectContaining({ code: 'RESOURCE_EXHAUSTED' }));
  admission.release(60);
  admission.release(40);
  expect([admission.requests, admission.bytes]).toEqual([0, 0]);
  admission.admit(100);
});
