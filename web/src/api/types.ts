/**
 * The API's shapes under the names that the app uses. They come from the generated `schema.d.ts`, so that a
 * change of the contract shows as a type error here first.
 */
import type { components, paths } from './schema';

type Schemas = components['schemas'];

/** An account as its owner sees it; storage in bytes. */
export type User = Schemas['UserOut'];
/** A signed-in device. */
export type Session = Schemas['SessionOut'];
/** A file, in any status. */
export type FileItem = Schemas['FileOut'];
/** A folder. */
export type FolderItem = Schemas['FolderOut'];
/** A file or folder, distinguished by `kind`. */
export type Item = FileItem | FolderItem;
/** One page of a folder's content. */
export type Listing = Schemas['FolderListing'];
/** One page of search results. */
export type SearchResults = Schemas['SearchResults'];
/** A dead letter: an event that a consumer could not handle. */
export type DeadEvent = Schemas['DeadEventOut'];
/** The daily figures of a period. */
export type Analytics = Schemas['AnalyticsOut'];
/** What the viewer can show of a file. */
export type Preview = Schemas['PreviewOut'];
/** The beginning of a text. */
export type Excerpt = Schemas['ExcerptOut'];
/** Where a film or audio file streams from. */
export type Stream = Schemas['StreamOut'];
/** The stored parts of an unfinished upload, and fresh URLs for the rest. */
export type UploadState = Schemas['UploadOut'];
/** The part URLs of a new upload. */
export type UploadPlan = Schemas['InitiateOut'];
/** A new upload's name, folder, size and type. */
export type UploadRequest = Schemas['InitiateIn'];
/** A part that the store has acknowledged. */
export type SentPart = Schemas['PartIn'];
/** What became of the files of a batch, in their order. */
export type BatchResponse = Schemas['BatchOut'];
/** An upload that can be resumed or aborted. */
export type UnfinishedUpload = Schemas['UnfinishedUpload'];
/** A notification. */
export type Notice = Schemas['NotificationOut'];
/** Why a request failed, for programs and translations. */
export type ProblemCode = Schemas['ProblemCode'];
/** Why a file did not become ready, for programs and translations. */
export type ReasonCode = Schemas['ReasonCode'];
/** The server's public configuration. */
export type ServerConfig = Schemas['PublicConfig'];
/** Every route of the API. */
export type Paths = paths;
