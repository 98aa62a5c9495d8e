import { act, renderHook } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';
import type { FileItem } from '@/api/types';
import { forgetProgress, noteProgress, stepKey, useProgress } from '@/components/file-progress';
import { fileItem } from '../fakes/drive';

const working = fileItem('film.mp4', {
  status: 'PROCESSING',
  processing: { step: 'probe', state: 'RUNNING', progress: 5, error: null, retryable: false },
}) as unknown as FileItem;
const report = (step: string, progress: number) => ({ fileId: working.id, step, progress });

describe('the progress of a file', () => {
  beforeEach(forgetProgress);

  it('is what its listing said until something comes live', () => {
    const { result } = renderHook(() => useProgress(working));
    expect(result.current).toEqual({ step: 'probe', progress: 5 });
    act(() => void noteProgress(report('thumbnail', 40)));
    expect(result.current).toEqual({ step: 'thumbnail', progress: 40 });
  });

  it('is nothing once the file is there', () => {
    noteProgress(report('thumbnail', 40));
    const ready = { ...working, status: 'READY' } as FileItem;
    expect(renderHook(() => useProgress(ready)).result.current).toBeNull();
  });

  it('has the lists read again at each new step, not at each percent', () => {
    expect([report('probe', 1), report('probe', 50), report('thumbnail', 0)].map(noteProgress)).toEqual([
      true,
      false,
      true,
    ]);
    expect(noteProgress('nonsense')).toBe(true);
  });

  it('has words for known steps and a general one for others', () => {
    expect(stepKey('hls')).toBe('files.processing.step.transcode');
    expect(stepKey('juggle')).toBe('files.status.PROCESSING');
    expect(stepKey(null)).toBe('files.status.PROCESSING');
  });
});
