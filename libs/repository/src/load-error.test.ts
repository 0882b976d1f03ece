import { sanitiseLoadError } from './load-error';

const home = '/srv/secret/repository/m';

describe('sanitiseLoadError', () => {
  test.each([
    [
      `Load model from ${home}/1/model.onnx failed:/onnxruntime_src/onnxruntime/core/graph/model.cc:187 ` +
        'onnxruntime::Model::Model(onnx::ModelProto&&, const onnxruntime::PathString&, const ' +
        'onnxruntime::logging::Logger&) ModelProto does not have a graph.\n',
      'onnx runtime error: Load model from m/1/model.onnx failed: ModelProto does not have a graph.',
    ],
    [
      `Load model from ${home}/1/model.onnx failed:/onnxruntime_src/onnxruntime/core/graph/model_load_utils.h:46 void ` +
        'onnxruntime::model_load_utils::ValidateOpsetForDomain(const std::unordered_map<std::__cxx11::basic_string<char>, ' +
        'int>&, bool) ONNX Runtime only *guarantees* support (for now) for opset 26.',
      'onnx runtime error: Load model from m/1/model.onnx failed: ONNX Runtime only *guarantees* support (for now) for ' +
        'opset 26.',
    ],
    [
      `Load model from ${home}/1/model.onnx failed:Protobuf parsing failed.`,
      'onnx runtime error: Load model from m/1/model.onnx failed: the file is no ONNX model, is damaged, or is nested ' +
        'too deeply',
    ],
    [
      'External data path validation failed for initializer: w. Error: External data path escapes model directory. ' +
        `External data path: "../.env" resolved path: "/srv/secret/.env" allowed directory: "${home}/1"`,
      "external data of initializer 'w' must stay inside the model's version folder",
    ],
    [
      'External data path validation failed for initializer: w. Error: tensorprotoutils.cc:461 ' +
        `ValidateExternalDataPathFromDir External data path does not exist: "${home}/1/weights.bin"`,
      "external data of initializer 'w' is missing: 'm/1/weights.bin'",
    ],
    [
      'Deserialize tensor w failed.tensorprotoutils.cc:1763 GetExtDataFromTensorProto External initializer: w offset: 0 ' +
        'size to read: 4000 given file_length: 16 are out of bounds',
      'onnx runtime error: Deserialize tensor w failed. External initializer: w offset: 0 size to read: 4000 given ' +
        'file_length: 16 are out of bounds',
    ],
    [
      'Unsupported data type: 16',
      'a tensor of the model has element type BFLOAT16, which ONNX Runtime for Node.js cannot handle',
    ],
    [
      '/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:129 std::conditional_t<THRW, void, ' +
        'onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*) [with ERRTYPE = cudaError] CUDA failure ' +
        '100: no device ; hostname=node7 ; file=/onnxruntime_src/x.cc ; line=282 ; expr=cudaSetDevice(0);',
      'onnx runtime error: CUDA failure 100: no device ; hostname=node7 ; file=<path> ; line=282 ; expr=cudaSetDevice(0);',
    ],
    ["cannot open '/etc/passwd' or C:\\Users\\me\\x.onnx", 'onnx runtime error: cannot open <path> or <path>'],
    ['', 'onnx runtime error: no details given'],
  ])('%s', (message, told) => {
    expect(sanitiseLoadError(message, home)).toBe(told);
  });

  test("shows the model's name in place of a folder of another name", () => {
    const told = sanitiseLoadError(`Load model from ${home}/1/model.onnx failed: ${home} is odd.`, home, '$&n');
    expect(told).toBe('onnx runtime error: Load model from $&n/1/model.onnx failed: $&n is odd.');
  });

  test('bounds the length', () => {
    expect(sanitiseLoadError('x'.repeat(100_000), home).length).toBeLessThanOrEqual(501);
    expect(sanitiseLoadError('a.cc:1 '.repeat(20_000), home).length).toBeLessThanOrEqual(501);
    expect(sanitiseLoadError(`a.cc:1 x::f(${'('.repeat(100_000)}`, home).length).toBeLessThanOrEqual(501);
  });
});
