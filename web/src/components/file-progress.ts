/** How far the processing of files is, as the server tells it live. */
import { create } from 'zustand';
import type { FileItem } from '@/api/types';

/** One report: the step that is running, and how much of it is done, in percent. */
export interface Progress {
  step: string | null;
  progress: number;
}

const useReports = create<Record<string, Progress>>(() => ({}));

/** The steps that have words of their own. */
const STEPS = ['store', 'probe', 'package', 'thumbnail', 'transcode', 'notify'] as const;
const MEANT: Record<string, (typeof STEPS)[number]> = {
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
 * Takes a `file.progress` report. Says whether the lists must be read again: when the report tells of another step
 * than the one before, the files themselves may look different.
 */
export function noteProgress(payload: unknown): boolean {
  if (!isReport(payload)) return true;
  const { fileId, step, progress } = payload;
  const before = useReports.getState()[fileId];
  useReports.setState({ [fileId]: { step, progress } });
  return before?.step !== step;
}

/** Forgets all reports: somebody else signs in, or the line was lost and they may be old. */
export function forgetProgress(): void {
  useReports.setState({}, true);
}

/** The latest of a file: what came live if it is being processed, else what its listing said. A hook. */
export function useProgress(file: FileItem | null): Progress | null {
  const live = useReports((reports) => (file ? reports[file.id] : undefined));
  if (file?.status !== 'PROCESSING') return null;
  return live ?? { step: file.processing?.step ?? null, progress: file.processing?.progress ?? 0 };
}

/** The words' key for a step, if it has any. */
export function stepKey(step: string | null) {
  const meant = step ? MEANT[step.toLowerCase()] : undefined;
  return meant ? (`files.processing.step.${meant}` as const) : ('files.status.PROCESSING' as const);
}

function isReport(payload: unknown): payload is Progress & { fileId: string } {
  const report = payload as Partial<Progress & { fileId: string }> | null;
  return typeof report?.fileId === 'string' && typeof report.progress === 'number';
}
