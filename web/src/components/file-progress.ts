/** Live progress of file processing, from `file.progress` events. */
import { create } from 'zustand';
import type { FileItem } from '@/api/types';

/** The running step and its progress in percent. */
export interface Progress {
  step: string | null;
  progress: number;
}

const useReports = create<Record<string, Progress>>(() => ({}));

/** The steps that have a text of their own. */
const STEPS = ['store', 'probe', 'package', 'thumbnail', 'transcode', 'notify'] as const;
const STEP_ALIASES: Record<string, (typeof STEPS)[number]> = {
  initiate: 'store',
  verify: 'store',
  process_media: 'transcode',
  'process-media': 'transcode',
  media: 'transcode',
  hls: 'transcode',
  thumbnails: 'thumbnail',
  ...Object.fromEntries(STEPS.map((step) => [step, step])),
};

/**
 * Stores a `file.progress` report. Returns whether the lists must be refetched: after a change of step, the files
 * themselves may look different.
 */
export function storeProgress(payload: unknown): boolean {
  if (!isReport(payload)) return true;
  const { fileId, step, progress } = payload;
  const before = useReports.getState()[fileId];
  useReports.setState({ [fileId]: { step, progress } });
  return before?.step !== step;
}

/** Drops all reports, after a change of user or a lost connection. */
export function clearProgress(): void {
  useReports.setState({}, true);
}

/** Returns a file's latest progress: the live report while it is processed, else that of its listing. */
export function useProgress(file: FileItem | null): Progress | null {
  const live = useReports((reports) => (file ? reports[file.id] : undefined));
  if (file?.status !== 'PROCESSING') return null;
  return live ?? { step: file.processing?.step ?? null, progress: file.processing?.progress ?? 0 };
}

/** Returns the translation key for a step. */
export function stepKey(step: string | null) {
  const known = step ? STEP_ALIASES[step.toLowerCase()] : undefined;
  return known ? (`files.processing.step.${known}` as const) : ('files.status.PROCESSING' as const);
}

function isReport(payload: unknown): payload is Progress & { fileId: string } {
  const report = payload as Partial<Progress & { fileId: string }> | null;
  return typeof report?.fileId === 'string' && typeof report.progress === 'number';
}
