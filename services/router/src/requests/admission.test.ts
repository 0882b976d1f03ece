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

test('the background has a quarter of the room, and the others the rest', () => {
  const admission = new Admission({ requests: 8, bytes: 400 });
  expect(() => admission.admit(101, true)).toThrow('its limit of 100 bytes in unanswered background requests');
  admission.admit(60, true);
  expect(() => admission.admit(41, true)).toThrow('100 bytes in unanswered background requests');
  admission.admit(0, true);
  expect(() => admission.admit(0, true)).toThrow('2 unanswered background requests');
  for (let i = 0; i < 6; i += 1) admission.admit(50);
  expect(() => admission.admit(0)).toThrow('its limit of 8 unanswered requests');
  admission.release(60, true);
  admission.admit(100, true);
  admission.release(100, true);
  admission.admit(0, true);
});
