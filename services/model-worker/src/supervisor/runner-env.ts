/** Variables that a runner may see: what native libraries need to find their files and devices. */
const names = new Set([
  'PATH',
  'HOME',
  'USERPROFILE',
  'SYSTEMROOT',
  'TMPDIR',
  'TMP',
  'TEMP',
  'LANG',
  'LC_ALL',
  'TZ',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'DYLD_FALLBACK_LIBRARY_PATH',
  'XDG_RUNTIME_DIR',
]);

const prefixes = ['CUDA_', 'NVIDIA_', 'OMP_', 'ORT_', 'TRT_', 'VK_'];

/**
 * ONNX Runtime's Linux builds report models and machine to Microsoft and leave files in the temporary and the cache folder
 * unless told not to. What a server runs is nobody else's business; who wants the reports sets the variable to 0.
 */
const quiet = { ORT_DISABLE_TELEMETRY: '1' };

/**
 * The environment of a runner process: an allow-list, so that no secret of the service's environment is within reach
 * of a model's process.
 */
export function runnerEnv(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const passed = Object.entries(env).filter(([name]) => {
    const upper = name.toUpperCase();
    return names.has(upper) || prefixes.some((prefix) => upper.startsWith(prefix));
  });
  return { ...quiet, ...Object.fromEntries(passed) };
}
