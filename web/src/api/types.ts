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
/** What a listing shows: files and folders, told apart by `kind`. */
export type Item = FileItem | FolderItem;
/** One page of a folder's content. */
export type Listing = Schemas['FolderListing'];
/** One page of what a search found. */
export type SearchResults = Schemas['SearchResults'];
/** An event that a consumer failed on too often. */
export type DeadEvent = Schemas['DeadEventOut'];
/** What happened on each day of a period. */
export type Analytics = Schemas['AnalyticsOut'];
/** What can be shown of a file. */
export type Preview = Schemas['PreviewOut'];
/** The beginning of a text. */
export type Excerpt = Schemas['ExcerptOut'];
/** Where a film or a sound streams from. */
export type Stream = Schemas['StreamOut'];
/** What the store holds of an unfinished upload, and fresh URLs for the rest. */
export type UploadState = Schemas['UploadOut'];
/** Where the parts of a new upload go. */
export type UploadPlan = Schemas['InitiateOut'];
/** A new upload's name, folder, size and type. */
export type UploadRequest = Schemas['InitiateIn'];
/** A part that the store has acknowledged. */
export type SentPart = Schemas['PartIn'];
/** An upload that waits to be resumed or aborted. */
export type UnfinishedUpload = Schemas['UnfinishedUpload'];
/** Something that the user is told of. */
export type Notice = Schemas['NotificationOut'];
/** Why a request failed, for programs and translations. */
export type ProblemCode = Schemas['ProblemCode'];
/** Why a file did not become ready, for programs and translations. */
export type ReasonCode = Schemas['ReasonCode'];
/** What anybody may know of the server. */
export type ServerConfig = Schemas['PublicConfig'];
/** Every route of the API. */
export type Paths = paths;
