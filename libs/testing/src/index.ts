export { FakeClock } from './fake-clock';
export { assertNothingOpen, openNow, until } from './open-handles';
