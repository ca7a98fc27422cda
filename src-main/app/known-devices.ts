import { type DevicePreference, type EnginePort, ParlanceError } from '../contract/index.ts';
import type { SpeechPort } from '../contract/speech.ts';
import { reportDevices } from '../models/devices.ts';
import type { ModelsPlace } from '../models/place.ts';

function unavailable(device: DevicePreference, reason: string): ParlanceError {
  return new ParlanceError(
    'device-unavailable',
    `${device} cannot be used on this machine: ${reason}`,
    'Use --device auto, or a device that `parlance devices` shows to work.',
  );
}

/** Rejects with device-unavailable, in the provider's own words, unless the device was seen to work here. */
async function requireDevice(device: DevicePreference, place: ModelsPlace): Promise<void> {
  if (device === 'auto' || device === 'cpu') return;
  const report = (await reportDevices({ place })).find(({ provider }) => provider === device);
  if (report === undefined) throw unavailable(device, 'this operating system has no such thing.');
  if (!report.works) throw unavailable(device, report.reason ?? 'it did not work when it was tried.');
}

/**
 * An engine that refuses a device by name unless it works: onnxruntime falls back to the CPU without a word where it
 * knows a provider's name and lacks the provider, and an answer must not name a device that did not give it.
 */
export function onKnownDevices(engine: EnginePort & SpeechPort, place: ModelsPlace): EnginePort & SpeechPort {
  return {
    async answer(request, on, signal) {
      await requireDevice(request.device, place);
      return engine.answer(request, on, signal);
    },
    async transcribe(request, on, signal) {
      await requireDevice(request.device, place);
      return engine.transcribe(request, on, signal);
    },
    async score(request, signal) {
      await requireDevice(request.device, place);
      return engine.score(request, signal);
    },
    async load(what, signal) {
      await requireDevice(what.device, place);
      return engine.load(what, signal);
    },
    speak: (request, on, signal) => engine.speak(request, on, signal),
    status: () => engine.status(),
    onStatus: (listener) => engine.onStatus(listener),
    shutdown: () => engine.shutdown(),
  };
}
