import { readdirSync } from 'node:fs';

/**
 * Numbers of the NVIDIA GPUs that this process may use, as CUDA counts them: those of CUDA_VISIBLE_DEVICES if it is set,
 * else one for each device file. [] where there is none.
 */
export function findGpus(env: NodeJS.ProcessEnv = process.env, deviceFolder = '/dev'): number[] {
  const visible = env['CUDA_VISIBLE_DEVICES'];
  const there = deviceFiles(deviceFolder);
  if (visible === undefined) return there.map((_, index) => index);
  const named = visible.split(',').filter((id) => id.trim() !== '' && !id.trim().startsWith('-'));
  return named.slice(0, there.length).map((_, index) => index);
}

function deviceFiles(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^nvidia\d+$/.test(name));
  } catch {
    return [];
  }
}
