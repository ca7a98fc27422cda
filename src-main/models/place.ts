import type { ProcessPort } from '../contract/index.ts';

/** What the models and devices need from whoever runs them. */
export interface ModelsPlace {
  readonly home: {
    /** `<bundle-id>/` folders. */
    readonly models: string;
    readonly downloads: string;
    /** What the devices were found to do. */
    readonly devicesFile: string;
  };
  /** The app's resources: the catalogue and the recipes. */
  readonly resources: string;
  /** Settings of pip's index are read from it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Starts one of the app's modules in a process of its own: a build or a device's first step must not block or end this one. */
  startProcess(module: 'build-process' | 'device-probe', args: readonly string[]): ProcessPort;
}
