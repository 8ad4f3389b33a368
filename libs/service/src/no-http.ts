/** An HTTP adapter for services without HTTP: Nest asks for one, nothing listens. */
import { AbstractHttpAdapter } from '@nestjs/core';

const nothing = () => {};

export class NoHttp extends AbstractHttpAdapter {
  override close(): void {}
  override initHttpServer(): void {
    this.httpServer = { once: nothing, on: nothing, removeListener: nothing, address: () => null };
  }
  override useStaticAssets(): void {}
  override setViewEngine(): void {}
  override getRequestHostname(): string {
    return '';
  }
  override getRequestMethod(): string {
    return '';
  }
  override getRequestUrl(): string {
    return '';
  }
  override status(): void {}
  override reply(): void {}
  override end(): void {}
  override render(): void {}
  override redirect(): void {}
  override setErrorHandler(): void {}
  override setNotFoundHandler(): void {}
  override isHeadersSent(): boolean {
    return false;
  }
  override getHeader(): void {}
  override setHeader(): void {}
  override appendHeader(): void {}
  override registerParserMiddleware(): void {}
  override enableCors(): void {}
  override createMiddlewareFactory() {
    return nothing;
  }
  override getType(): string {
    return 'none';
  }
  override applyVersionFilter() {
    return () => nothing;
  }
}
