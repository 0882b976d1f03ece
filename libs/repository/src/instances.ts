/** One instance of a model: one session. */
export interface ModelInstance {
  /** `<group>_<index>`, on a GPU `<group>_<index>_gpu<id>`. */
  readonly name: string;
  readonly kind: 'KIND_CPU' | 'KIND_GPU' | 'KIND_MODEL';
  /** The GPU's id; 0 where the kind has none. */
  readonly device: number;
}
