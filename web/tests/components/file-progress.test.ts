import { act, renderHook } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';
import type { FileItem } from '@/api/types';
import { clearProgress, stepKey, storeProgress, useProgress } from '@/components/file-progress';
import { fileItem } from '../fakes/drive';

const working = fileItem('film.mp4', {
  status: 'PROCESSING',
  processing: { step: 'probe', state: 'RUNNING', progress: 5, error: null, retryable: false },
}) as unknown as FileItem;
const report = (step: string, progress: number) => ({ fileId: working.id, step, progress });

describe('the progress of a file', () => {
  beforeEach(clearProgress);

  it('is that of its listing until a live report arrives', () => {
    const { result } = renderHook(() => useProgress(working));
    expect(result.current).toEqual({ step: 'probe', progress: 5 });
    act(() => void storeProgress(report('thumbnail', 40)));
    expect(result.current).toEqual({ step: 'thumbnail', progress: 40 });
  });

  it('is null once the file is ready', () => {
    storeProgress(report('thumbnail', 40));
    const ready = { ...working, status: 'READY' } as FileItem;
    expect(renderHook(() => useProgress(ready)).result.current).toBeNull();
  });

  it('requires a refetch of the lists at each new step only', () => {
    expect([report('probe', 1), report('probe', 50), report('thumbnail', 0)].map(storeProgress)).toEqual([
      true,
      false,
      true,
    ]);
    expect(storeProgress('nonsense')).toBe(true);
  });

  it('has a text for each known step and a general one for others', () => {
    expect(stepKey('hls')).toBe('files.processing.step.transcode');
    expect(stepKey('unknown')).toBe('files.status.PROCESSING');
    expect(stepKey(null)).toBe('files.status.PROCESSING');
  });
});
