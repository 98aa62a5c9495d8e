import type { ReasonCode } from '@/api/types';

/** Why a file did not become ready, by the reason codes of the server. */
export default {
  'not-arrived-in-time': 'Tệp không được tải lên đầy đủ trong thời hạn.',
  'not-stored': 'Không lưu được tệp. Hãy tải lên lại.',
  'file-deleted': 'Tệp đã bị xóa.',
  'bytes-damaged': 'Dữ liệu đã lưu của tệp bị mất hoặc bị thay đổi.',
  'probe-failed': 'Không kiểm tra được tệp.',
  'thumbnail-failed': 'Không tạo được ảnh thu nhỏ.',
  'transcode-failed': 'Không chuẩn bị được để phát.',
  'processing-failed': 'Không xử lý được tệp.',
  'film-unreadable': 'Video bị hỏng hoặc thuộc loại không được hỗ trợ.',
  'film-without-picture': 'Video không có hình.',
  'film-frame-too-large': 'Khung hình của video quá lớn.',
  'film-not-copyable': 'Không sao chép được hình của video.',
  'audio-track-unreadable': 'Không đọc được âm thanh của video.',
  'no-audio': 'Tệp không có âm thanh.',
  'picture-unreadable': 'Ảnh bị hỏng hoặc thuộc loại không được hỗ trợ.',
  'picture-too-large': 'Ảnh quá lớn.',
  'picture-too-many-pixels': 'Ảnh có quá nhiều điểm ảnh.',
  'document-unreadable': 'Tài liệu bị hỏng hoặc thuộc loại không được hỗ trợ.',
  'document-locked': 'Tài liệu được khóa bằng mật khẩu.',
  'document-not-rendered': 'Không tạo được hình của tài liệu.',
  'document-too-large': 'Tài liệu quá lớn để tạo hình.',
  'drawing-unreadable': 'Bản vẽ bị hỏng hoặc không hiển thị được.',
  'drawing-too-large': 'Bản vẽ quá lớn hoặc quá phức tạp.',
} satisfies Record<ReasonCode, string>;
