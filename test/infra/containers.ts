import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { root } from '../support/paths';

/** A container as some file of ours starts it. */
export interface Container {
  /** File and name, for the test's title. */
  readonly where: string;
  /** The command line after `shoal`. */
  readonly args: readonly string[];
  readonly environment: readonly string[];
  /** How long it may take to end after it was told to; undefined where the file does not say. */
  readonly graceSecs?: number;
  /** How much of that passes before the process is told. */
  readonly preStopSecs: number;
  /** Kubernetes: what its probes ask, by their names. */
  readonly probes?: Readonly<Record<string, unknown>>;
}

interface ComposeService {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly build?: { readonly target?: string };
  readonly stop_grace_period?: string;
}

/** The services of docker-compose.yml that are built from our Dockerfile. */
export function composeContainers(): Container[] {
  const { services } = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
    services: Readonly<Record<string, ComposeService>>;
  };
  return Object.entries(services)
    .filter(([, service]) => service.build !== undefined)
    .map(([name, service]) => ({
      where: `docker-compose.yml: ${name}`,
      args: service.command ?? [],
      environment: Object.keys(service.environment ?? {}),
      graceSecs: Number(/^(\d+)s$/.exec(service.stop_grace_period ?? '')?.[1]),
      preStopSecs: 0,
    }));
}

interface GrpcProbe {
  readonly grpc?: { readonly port: number; readonly service?: string };
}

interface PodSpec {
  readonly terminationGracePeriodSeconds?: number;
  readonly containers: readonly {
    readonly name: string;
    readonly image: string;
    readonly args?: readonly string[];
    readonly env?: readonly { readonly name: string }[];
    readonly startupProbe?: GrpcProbe;
    readonly readinessProbe?: GrpcProbe;
    readonly livenessProbe?: GrpcProbe;
    readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } };
  }[];
}

/** The containers of our images in the Kubernetes files, patches apart: see `patchedOptions`. */
export function kubernetesContainers(): Container[] {
  return yamlFiles('infra/kubernetes').flatMap((file) =>
    parseAllDocuments(readFileSync(join(root, file), 'utf8')).flatMap((document) => {
      const found = document.toJS() as { spec?: { template?: { spec?: PodSpec } } } | null;
      const pod = found?.spec?.template?.spec;
      return (pod?.containers ?? [])
        .filter(({ image }) => image.startsWith('shoal-'))
        .map((container) => ({
          where: `${file}: ${container.name}`,
          args: container.args ?? [],
          environment: (container.env ?? []).map(({ name }) => name),
          graceSecs: pod?.terminationGracePeriodSeconds ?? Number.NaN,
          preStopSecs: container.lifecycle?.preStop?.sleep?.seconds ?? 0,
          probes: {
            startup: container.startupProbe?.grpc,
            readiness: container.readinessProbe?.grpc,
            liveness: container.livenessProbe?.grpc,
          },
        }));
    }),
  );
}

/** An option that an overlay or a component gives to the containers of some of our services. */
export interface PatchedOption {
  readonly where: string;
  /** The commands of these. */
  readonly commands: readonly string[];
  readonly option: string;
}

interface Kustomization {
  readonly patches?: readonly { readonly target: { readonly name: string }; readonly patch: string }[];
}

/** What patches add to the command lines of `kubernetesContainers`. */
export function patchedOptions(): PatchedOption[] {
  return kustomizations('infra/kubernetes').flatMap((file) => {
    const { patches = [] } = parse(readFileSync(join(root, file), 'utf8')) as Kustomization;
    return patches.flatMap(({ target, patch }) => {
      const operations = parse(patch) as readonly { readonly value?: unknown }[] | object;
      return (Array.isArray(operations) ? operations : [])
        .map(({ value }) => value as unknown)
        .filter((value): value is string => typeof value === 'string' && value.startsWith('--'))
        .map((option) => ({ where: file, commands: target.name.split('|'), option }));
    });
  });
}

/** The stages of the Dockerfile that end in a command. */
export function dockerfileContainers(): Container[] {
  const text = readFileSync(join(root, 'infra/docker/Dockerfile'), 'utf8').replaceAll('\\\n', ' ');
  return text.split(/^FROM /m).flatMap((stage) => {
    const command = /^CMD (\[.*\])$/m.exec(stage)?.[1];
    if (command === undefined) return [];
    return {
      where: `Dockerfile: ${/ AS (\S+)/.exec(stage)?.[1]}`,
      args: JSON.parse(command) as string[],
      environment: [...stage.matchAll(/\b(SHOAL_\w+)=/g)].map((match) => match[1] as string),
      preStopSecs: 0,
    };
  });
}

function yamlFiles(folder: string): string[] {
  return filesIn(folder).filter((path) => path.endsWith('.yaml') && !path.endsWith('/kustomization.yaml'));
}

function kustomizations(folder: string): string[] {
  return filesIn(folder).filter((path) => path.endsWith('/kustomization.yaml'));
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}
