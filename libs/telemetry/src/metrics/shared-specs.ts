/** Counted by batching what it knows of, and by routers what they know of. */
export const shedSpec = {
  name: 'shoal_requests_shed_total',
  help: 'Requests that were turned away before they ran, by reason.',
  labels: ['reason', 'model'],
} as const;

/** Counted by batching (REJECTED, BACKEND) and routers (CANCELED, OTHER): the sum over processes is what Triton would count. */
export const failureSpec = {
  name: 'nv_inference_request_failure',
  help: 'Requests that failed after they were accepted, by reason.',
  labels: ['model', 'version', 'reason'],
} as const;

/** By the kind of process at the other end. */
export const linksSpec = {
  name: 'shoal_links',
  help: 'Links to other processes, by what those are.',
  labels: ['peer_role', 'state'],
} as const;
