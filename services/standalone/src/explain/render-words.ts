import { type ExplainedOutput, type Explanation, finite } from '@shoal/report';
import { clean } from './terminal-text';

// Of the 256 colours, on black letters: the stronger the further from white.
const shades = { up: [230, 223, 216, 208], down: [195, 153, 111, 39] } as const;

/** The features as the words of a text, each on the colour of what it adds. Only for terminals with colours: without them it says nothing. */
export function renderWords({ features }: Explanation, output: ExplainedOutput): string {
  const largest = output.values.reduce((most, value) => Math.max(most, Math.abs(finite(value))), 0);
  return features
    .map(({ name }, at) => {
      const value = finite(output.values[at]);
      const part = largest === 0 ? 0 : Math.abs(value) / largest;
      // What is next to nothing beside the largest has no colour.
      if (part < 0.05) return clean(name);
      const shade = shades[value < 0 ? 'down' : 'up'][Math.min(3, Math.floor(part * 4))] as number;
      return `\u001b[30;48;5;${shade}m${clean(name)}\u001b[0m`;
    })
    .join(' ');
}
