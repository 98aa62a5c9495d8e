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
/** A share link, as its owner sees it. */
export type ShareLink = Schemas['LinkOut'];
/** A new share link. */
export type NewShareLink = Schemas['LinkIn'];
/** Changes to a share link; what is absent stays. */
export type ShareLinkChanges = Schemas['LinkPatch'];
/** Something that a visitor of a share link did. */
export type ShareLinkAccess = Schemas['LinkAccessOut'];
/** What a share link leads to, as anyone who has it may know. */
export type SharedLink = Schemas['SharedLinkOut'];
/** A visitor's access to a share link: its file or folder. */
export type Visit = Schemas['LinkAccess'];
/** Why a request failed, for programs and translations. */
export type ProblemCode = Schemas['ProblemCode'];
/** Why a file did not become ready, for programs and translations. */
export type ReasonCode = Schemas['ReasonCode'];
/** The server's public configuration. */
export type ServerConfig = Schemas['PublicConfig'];
/** Every route of the API. */
export type Paths = paths;
