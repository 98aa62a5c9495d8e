import { describe, expect, it } from 'vitest';
import type { Item } from '@/api/types';
import { placeOf } from '@/features/viewer/model/neighbours';
import { fileItem, folderItem } from '../../fakes/drive';

const plain = { mimeType: 'application/octet-stream' };
const items = [
  folderItem('Movies'),
  fileItem('a.jpg'),
  fileItem('b.zip', plain),
  fileItem('c.mp4', { status: 'UPLOADING' }),
  fileItem('d.pdf'),
  fileItem('e.xls', { ...plain, thumbnailUrl: '/t' }),
] as unknown as Item[];

describe('the neighbours of the viewed file', () => {
  it('are the viewable files of the list, in its order', () => {
    const place = placeOf('id-d.pdf', items);
    expect([place.previous?.name, place.next?.name, place.at, place.count]).toEqual(['a.jpg', 'e.xls', 2, 3]);
  });

  it('exist also for a file that cannot be shown', () => {
    const place = placeOf('id-b.zip', items);
    expect([place.previous?.name, place.next?.name, place.count]).toEqual(['a.jpg', 'd.pdf', 4]);
  });

  it('do not exist at the ends, or for a file outside the list', () => {
    expect(placeOf('id-a.jpg', items).previous).toBeNull();
    expect(placeOf('id-e.xls', items).next).toBeNull();
    expect(placeOf('elsewhere', items)).toMatchObject({ previous: null, next: null, at: 0 });
  });
});
