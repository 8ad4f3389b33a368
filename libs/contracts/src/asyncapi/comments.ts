/** What the .proto files say about their messages, fields and enums: read from an image that has its source info. */
import type { DescEnum, DescField, DescFile, DescMessage } from '@bufbuild/protobuf';

/** Comments by file and path, as `key` makes it. */
export type Comments = ReadonlyMap<string, string>;

// Field numbers of descriptor.proto: where in a file something stands.
const [messagesOfFile, enumsOfFile, fieldsOfMessage, messagesOfMessage, enumsOfMessage] = [4, 5, 2, 3, 4];

export function commentsOf(files: Iterable<DescFile>): Comments {
  const comments = new Map<string, string>();
  for (const { name, proto } of files)
    for (const { path, leadingComments } of proto.sourceCodeInfo?.location ?? [])
      if (leadingComments) comments.set(key(name, path), oneParagraph(leadingComments));
  return comments;
}

/** The comment above a message, field or enum; empty where there is none. */
export function commentOf(what: DescMessage | DescField | DescEnum, comments: Comments): string {
  const { file } = what.kind === 'field' ? what.parent : what;
  return comments.get(key(file.name, pathOf(what))) ?? '';
}

function pathOf(what: DescMessage | DescField | DescEnum): number[] {
  if (what.kind === 'field')
    return [...pathOf(what.parent), fieldsOfMessage, what.parent.proto.field.indexOf(what.proto)];
  const { parent, file, proto } = what;
  const isEnum = what.kind === 'enum';
  const siblings = (isEnum ? (parent ?? file).proto.enumType : messagesIn(parent, file)) as (typeof proto)[];
  const list = parent ? (isEnum ? enumsOfMessage : messagesOfMessage) : isEnum ? enumsOfFile : messagesOfFile;
  return [...(parent ? pathOf(parent) : []), list, siblings.indexOf(proto)];
}

const messagesIn = (parent: DescMessage | undefined, file: DescFile) =>
  parent ? parent.proto.nestedType : file.proto.messageType;

const key = (file: string, path: readonly number[]) => `${file} ${path.join('.')}`;

const oneParagraph = (comment: string) =>
  comment
    .split('\n')
    .flatMap((line) => line.trim() || [])
    .join(' ');
