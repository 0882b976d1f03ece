export { type CertificateOptions, type TestCertificate, TestAuthority, selfSigned } from './certificates';
export { FakeClock } from './fake-clock';
export { assertNothingOpen, openNow, until } from './open-handles';
